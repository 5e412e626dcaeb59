"""Where one is on the page Experiments, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from spanwise_schemas.api_experiments import ItemOrder

ORDERS: Final[tuple[ItemOrder, ...]] = get_args(ItemOrder)
"""The first is the page's own."""


@dataclass(frozen=True, slots=True)
class ExperimentsPlace:
    """What is open.

    Attributes:
        candidate: id of the experiment that is open; empty for the list.
        baseline: id of the one that it is compared with; empty for the run before it.
        metric: by which items are ordered; empty for the first.
        order: of the items.
        row: the item that is open; empty for none.
        skip: items before the page.
        over: only experiments over this dataset are listed; empty: all.
    """

    candidate: str = ""
    baseline: str = ""
    metric: str = ""
    order: ItemOrder = "worst"
    row: str = ""
    skip: int = 0
    over: str = ""


def parse_experiments(parameters: Mapping[str, Sequence[str]]) -> ExperimentsPlace:
    """Reads query parameters; what does not read falls back to its default."""
    names = ("candidate", "baseline", "metric", "items", "row", "skip", "over")
    candidate, baseline, metric, order, row, skip, over = ((parameters.get(key) or ("",))[-1] for key in names)
    return ExperimentsPlace(
        candidate,
        baseline,
        metric,
        next((known for known in ORDERS if known == order), ORDERS[0]),
        row,
        int(skip) if skip.isascii() and skip.isdigit() and len(skip) < 10 else 0,
        over,
    )


def experiments_query(place: ExperimentsPlace) -> dict[str, str | list[str]]:
    """The query parameters of a place; defaults are empty. `parse_experiments` reads them back."""
    return {
        "candidate": place.candidate,
        "baseline": place.baseline,
        "metric": place.metric,
        "items": "" if place.order == ORDERS[0] else place.order,
        "row": place.row,
        "skip": str(place.skip or ""),
        "over": place.over,
    }
