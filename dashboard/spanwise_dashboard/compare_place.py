"""What is compared on the page Compare, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from spanwise_dashboard.instants import instant, rfc3339
from spanwise_schemas.api_compare import CompareBy

SIDES: Final[tuple[CompareBy, ...]] = get_args(CompareBy)
Against = Literal["before", "day", "week"]
AGAINST: Final[dict[Against, timedelta | None]] = {
    "before": None,
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
"""Time ranges to compare with, by how long before; None: as long as the range itself."""
Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class ComparePlace:
    """What is compared.

    Attributes:
        by: what tells the sides apart.
        a: the first side's release, prompt version or model; empty for the last but one.
        b: the second side's; empty for the newest.
        against: the first side where time ranges are compared.
        fixed: the first side's time range where it was typed in; then `against` does not count.
        signal: the number whose change is explained; empty until one is chosen.
    """

    by: CompareBy = "window"
    a: str = ""
    b: str = ""
    against: Against = "before"
    fixed: Window | None = None
    signal: str = ""

    def first(self, second: Window) -> Window:
        """The first side's time range, given the second's."""
        if self.fixed is not None:
            return self.fixed
        start, end = second
        shift = AGAINST[self.against] or end - start
        return start - shift, end - shift


def choices(second: Window) -> list[Against]:
    """Time ranges that a range can be compared with: those that do not overlap it."""
    start, end = second
    return [name for name, shift in AGAINST.items() if shift is None or shift >= end - start]


def parse_compare(parameters: Mapping[str, Sequence[str]]) -> ComparePlace:
    """Reads query parameters; what does not read falls back to its default."""
    by, a, b, against, signal = (
        (parameters.get(key) or ("",))[-1] for key in ("compare", "a", "b", "against", "signal")
    )
    start, end = (instant((parameters.get(key) or ("",))[-1]) for key in ("a_from", "a_to"))
    return ComparePlace(
        next((known for known in SIDES if known == by), "window"),
        a,
        b,
        next((known for known in AGAINST if known == against), "before"),
        (start, end) if start is not None and end is not None and start < end else None,
        signal,
    )


def compare_query(place: ComparePlace) -> dict[str, str]:
    """The query parameters of a place; defaults are empty. `parse_compare` reads them back."""
    start, end = place.fixed or (None, None)
    return {
        "compare": "" if place.by == "window" else place.by,
        "a": place.a,
        "b": place.b,
        "against": "" if place.against == "before" else place.against,
        "a_from": rfc3339(start) if start else "",
        "a_to": rfc3339(end) if end else "",
        "signal": place.signal,
    }
