"""What an evaluator of the registry is made from."""

from collections.abc import Callable
from dataclasses import dataclass

from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import Parameter

Scorer = Callable[[Sample], Verdict | None]
"""Scores a sample: pure, never raises, whatever the sample holds."""

YES = 1.0
NO = 0.0


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of evaluator.

    Attributes:
        name: in the registry, and of its score unless another is given.
        revision: raised whenever its code may score the same sample otherwise.
        reads: fields of `Sample` that it looks at.
        prepare: makes the scorer from the parameters, by name; raises `UnfitError` for some that do not go together.
        parameters: that it takes.
    """

    name: str
    revision: int
    reads: frozenset[str]
    prepare: Callable[..., Scorer]
    parameters: tuple[Parameter, ...] = ()


def yes_or_no(is_right: bool, label: str = "", explanation: str = "") -> Verdict:
    """A verdict of 1 or 0."""
    return Verdict(YES if is_right else NO, label, explanation)
