"""Where one is on the pages Alerts and Drift, as query parameters. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, get_args

Tab = Literal["firing", "history", "rules", "silences", "channels"]
TABS: Final[tuple[Tab, ...]] = get_args(Tab)
NEW_RULE: Final = "~new"
"""Stands for a rule that does not exist yet; no id of a rule looks like this."""


@dataclass(frozen=True, slots=True)
class AlertsPlace:
    """What is open.

    Attributes:
        tab: of the page Alerts.
        alert_id: the alert that is open; empty for the lists.
        rule_id: the rule that is open or whose alerts are listed; `NEW_RULE` for one that is being written.
        day: whose digest of drift is shown; None for the newest.
    """

    tab: Tab = "firing"
    alert_id: str = ""
    rule_id: str = ""
    day: date | None = None


def parse_place(parameters: Mapping[str, Sequence[str]]) -> AlertsPlace:
    """Reads query parameters; what does not read falls back to its default."""
    tab, alert, rule, day = ((parameters.get(key) or ("",))[-1] for key in ("tab", "alert", "rule", "day"))
    return AlertsPlace(next((known for known in TABS if known == tab), "firing"), alert, rule, _day(day))


def place_query(place: AlertsPlace) -> dict[str, str]:
    """The query parameters of a place; defaults are empty. `parse_place` reads them back."""
    return {
        "tab": "" if place.tab == "firing" else place.tab,
        "alert": place.alert_id,
        "rule": place.rule_id,
        "day": place.day.isoformat() if place.day else "",
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
