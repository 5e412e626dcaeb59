"""A title with badges and labelled facts; or a line of removable chips."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise_dashboard.components.mount import Opened, mount, nothing, opened
from spanwise_dashboard.components.table import Badge, badge_payload


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value. With `href` a link, with `removable` it has a button; both report `action` and `value`."""

    label: str
    text: str
    title: str = ""
    tone: str = ""
    mono: bool = False
    href: str = ""
    action: str = ""
    value: str = ""
    removable: bool = False


def heading(
    title: str, badges: Sequence[Badge], facts: Sequence[Fact], *, key: str, level: Literal[1, 2] = 1
) -> Opened | None:
    """Draws a title with what is to be known at a glance; returns the link that was clicked."""
    data: dict[str, object] = {
        "title": title,
        "level": level,
        "badges": [badge_payload(badge) for badge in badges],
        "facts": [_fact(fact) for fact in facts],
    }
    return opened(mount("facts", data, key=key, on_opened_change=nothing))


def chips(facts: Sequence[Fact], *, reset: str, key: str) -> Opened | None:
    """Draws removable facts and a button, action `reset`, that removes all."""
    data: dict[str, object] = {
        "chips": True,
        "facts": [_fact(fact) for fact in facts],
        "actions": [{"action": "reset", "text": reset}],
    }
    return opened(mount("facts", data, key=key, on_opened_change=nothing))


def _fact(fact: Fact) -> dict[str, object]:
    names = ("label", "text", "title", "tone", "mono", "href", "action", "value", "removable")
    return {name: value for name in names if (value := getattr(fact, name))}
