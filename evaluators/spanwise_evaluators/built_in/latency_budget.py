"""Whether the answer came in time.

Compares how long the span took, in milliseconds, with a budget. Does not apply where that is not known.
"""

from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import number


def latency_budget(sample: Sample, *, most_ms: float) -> Verdict | None:
    """Whether the latency is within the budget."""
    if sample.latency_ms is None:
        return None
    return yes_or_no(sample.latency_ms <= most_ms, "", f"{sample.latency_ms:,.0f} ms of {most_ms:,g} ms")


DEFINITION: Final = Definition(
    name="latency_budget",
    revision=1,
    reads=frozenset({"latency_ms"}),
    prepare=lambda **given: partial(latency_budget, **given),
    parameters=(number("most_ms", "The budget in milliseconds.", above=0),),
)
