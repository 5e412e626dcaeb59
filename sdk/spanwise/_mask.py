"""The masks of an application: its function, then its patterns and names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from spanwise_schemas import attributes as names
from spanwise_schemas.masking import STRUCTURAL, Masks
from spanwise_schemas.masking_otlp import MessageMask

MASK_FAILED: Final = "[mask failed]"
NEVER_MASKED: Final = STRUCTURAL | {
    names.TOOL_NAME,
    names.AGENT_NAME,
    names.ERROR_TYPE,
    names.PROMPT_NAME,
    names.PROMPT_VERSION,
    names.SCORE_NAME,
    names.SCORE_EVALUATOR,
    names.SCORE_EVALUATOR_VERSION,
    names.ENVIRONMENT,
    names.RELEASE,
    names.SERVICE,
    "exception.type",
}
"""Attributes that the function does not see: without them a span loses its meaning, its cost or its place. None holds
what a person wrote. Patterns see those that are not in `STRUCTURAL`."""

Mask = Callable[[str], str]


class Failures(Protocol):
    """Where failures of the function are counted."""

    mask_failed: int
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class Masking:
    """What to mask with.

    Attributes:
        function: the application's own; None for none.
        masks: patterns and names; None for none.
    """

    function: Mask | None = None
    masks: Masks | None = None

    def apply(self, message: Any, failures: Failures) -> None:
        """Mask an OTLP message in place.

        Args:
            message: a request, with the sender's attributes on it.
            failures: counts texts on which the function failed; these are replaced by a note.
        """
        function = self.function
        safe = None if function is None else lambda text: _safely(function, text, failures)
        MessageMask(self.masks, safe, NEVER_MASKED).apply(message)


def _safely(function: Mask, text: str, failures: Failures) -> str:
    try:
        result: object = function(text)
        if isinstance(result, str):
            return result.encode("utf-8", "replace").decode("utf-8")
        failures.details["mask_failed"] = f"the mask returned {type(result).__name__}, a str is needed"
    except Exception as error:
        failures.details["mask_failed"] = type(error).__name__  # the error's own words may quote the text
    failures.mask_failed += 1
    return MASK_FAILED  # sending the text unmasked would be the worse failure
