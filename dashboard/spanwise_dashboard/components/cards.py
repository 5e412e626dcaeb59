"""Things that deserve attention, one below the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise_dashboard.components.facts import Fact
from spanwise_dashboard.components.mount import Opened, mount, nothing, opened
from spanwise_dashboard.components.table import Badge, badge_payload


@dataclass(frozen=True, slots=True)
class Card:
    """One thing. With `href` its title opens something and reports the action `card` with its id.

    Attributes:
        id: identity among the cards.
        title: a sentence.
        tone: colour of its edge.
        badges: at the right of the title.
        lines: more text, below the title.
        facts: what is to be known at a glance, in a line at the end.
        href: relative address, encoded.
    """

    id: str
    title: str
    tone: Literal["", "good", "bad", "warn", "info"] = ""
    badges: tuple[Badge, ...] = ()
    lines: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    href: str = ""


def payload(label: str, shown: Sequence[Card]) -> dict[str, object]:
    """What the component draws."""
    return {"label": label, "cards": [_card(card) for card in shown]}


def cards(label: str, shown: Sequence[Card], *, key: str) -> Opened | None:
    """Draws the cards and returns which was clicked."""
    return opened(mount("cards", payload(label, shown), key=key, on_opened_change=nothing))


def _card(card: Card) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "tone": card.tone,
        "href": card.href,
        "badges": [badge_payload(badge) for badge in card.badges],
        "lines": list(card.lines),
        "facts": [
            {"label": fact.label, "text": fact.text, "title": fact.title or fact.text, "tone": fact.tone}
            for fact in card.facts
        ],
    }
