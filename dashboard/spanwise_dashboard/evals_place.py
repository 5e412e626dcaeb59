"""What is shown on the page Evals, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from spanwise_schemas.api_evals import SplitBy, WorstOrder

SPLITS: Final[tuple[SplitBy, ...]] = get_args(SplitBy)
WORST_ORDERS: Final[tuple[WorstOrder, ...]] = get_args(WorstOrder)


@dataclass(frozen=True, slots=True)
class EvalsPlace:
    """What is shown.

    Attributes:
        score: its name; empty for the one that there is most of.
        giver: who gives it, as `source:evaluator`; empty for who gives most.
        split: one line per value of this.
        label: of scores that are words, whose share is shown; empty for the most frequent.
        order: which end of the scale is listed.
    """

    score: str = ""
    giver: str = ""
    split: SplitBy = "none"
    label: str = ""
    order: WorstOrder = "lowest"


def parse_evals(parameters: Mapping[str, Sequence[str]]) -> EvalsPlace:
    """Reads query parameters; what does not read falls back to its default."""
    score, giver, split, label, order = (
        (parameters.get(key) or ("",))[-1] for key in ("score", "giver", "split", "label", "worst")
    )
    return EvalsPlace(
        score,
        giver,
        next((known for known in SPLITS if known == split), "none"),
        label,
        next((known for known in WORST_ORDERS if known == order), "lowest"),
    )


def evals_query(place: EvalsPlace) -> dict[str, str]:
    """The query parameters of a place; defaults are empty. `parse_evals` reads them back."""
    return {
        "score": place.score,
        "giver": place.giver,
        "split": "" if place.split == "none" else place.split,
        "label": place.label,
        "worst": "" if place.order == "lowest" else place.order,
    }
