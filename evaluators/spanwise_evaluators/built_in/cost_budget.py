"""Whether the answer cost no more than it may.

Compares the cost of the call with a budget, in US dollars. The collector knows the cost of every priced call; in the
SDK only a cost that you set yourself (`span.set_usage(cost_usd=...)`) is known. Does not apply where it is not.
"""

from functools import partial
from typing import Final

from spanwise_evaluators.definition import Definition, yes_or_no
from spanwise_evaluators.model import Sample, Verdict
from spanwise_evaluators.parameters import number

_NANOS: Final = 1_000_000_000


def cost_budget(sample: Sample, *, most_usd: float) -> Verdict | None:
    """Whether the cost is within the budget."""
    if sample.cost_nanousd is None:
        return None
    # Rounded to whole nano-dollars, since 0.1 has no exact form as a float.
    is_within = sample.cost_nanousd <= round(most_usd * _NANOS)
    return yes_or_no(is_within, "", f"{sample.cost_nanousd / _NANOS:.6g} USD of {most_usd:g} USD")


DEFINITION: Final = Definition(
    name="cost_budget",
    revision=1,
    reads=frozenset({"cost_nanousd"}),
    prepare=lambda **given: partial(cost_budget, **given),
    parameters=(number("most_usd", "The budget in US dollars.", above=0, most=1e9),),
)
