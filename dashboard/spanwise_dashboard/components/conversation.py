"""Messages as a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from spanwise_dashboard.components.mount import mount
from spanwise_dashboard.messages import Message


@dataclass(frozen=True, slots=True)
class Section:
    """Messages under a heading; `empty` is said when there are none, tone `bad` marks a failure."""

    title: str
    messages: Sequence[Message]
    note: str = ""
    empty: str = "Nothing was recorded."
    tone: Literal["", "bad"] = ""


def payload(sections: Sequence[Section]) -> dict[str, object]:
    """What the component draws."""
    return {
        "sections": [
            {
                "title": section.title,
                "note": section.note,
                "empty": section.empty,
                "tone": section.tone,
                "messages": [_message(message) for message in section.messages],
            }
            for section in sections
        ]
    }


def conversation(sections: Sequence[Section], *, key: str) -> None:
    """Draws the sections, one below the other."""
    mount("conversation", payload(sections), key=key)


def _message(message: Message) -> dict[str, object]:
    return {
        "role": message.role,
        "finish": message.finish_reason,
        "parts": [
            {"kind": part.kind, "text": part.text, "name": part.name, "id": part.call_id} for part in message.parts
        ],
    }
