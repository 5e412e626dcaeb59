"""Where one is on the page Failures, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from spanwise_schemas.api_failures import IssueOrder, IssueState

Shown = Literal["unresolved", "resolved", "ignored", "all"]
SHOWN: Final[tuple[Shown, ...]] = get_args(Shown)
STATES: Final[dict[Shown, tuple[IssueState, ...]]] = {
    "unresolved": ("open", "acknowledged"),
    "resolved": ("resolved",),
    "ignored": ("ignored",),
    "all": (),
}
"""States to ask for; none means all."""
ORDERS: Final[tuple[IssueOrder, ...]] = ("count", "last_seen", "first_seen", "users", "cost")
"""The first is the page's own."""


@dataclass(frozen=True, slots=True)
class FailuresPlace:
    """What is open.

    Attributes:
        issue_id: the issue that is open; empty for the list.
        classes: classes that are listed; empty: all.
        shown: issues that are listed, by what people said of them.
        order: what comes first.
    """

    issue_id: str = ""
    classes: tuple[str, ...] = ()
    shown: Shown = "unresolved"
    order: IssueOrder = "count"


def parse_failures(parameters: Mapping[str, Sequence[str]]) -> FailuresPlace:
    """Reads query parameters; what does not read falls back to its default."""
    issue, shown, order = ((parameters.get(key) or ("",))[-1] for key in ("issue", "state", "order"))
    return FailuresPlace(
        issue,
        tuple(dict.fromkeys(each for each in parameters.get("class", ()) if each)),
        next((known for known in SHOWN if known == shown), "unresolved"),
        next((known for known in ORDERS if known == order), ORDERS[0]),
    )


def failures_query(place: FailuresPlace) -> dict[str, str | list[str]]:
    """The query parameters of a place; defaults are empty. `parse_failures` reads them back."""
    return {
        "issue": place.issue_id,
        "class": list(place.classes),
        "state": "" if place.shown == "unresolved" else place.shown,
        "order": "" if place.order == ORDERS[0] else place.order,
    }
