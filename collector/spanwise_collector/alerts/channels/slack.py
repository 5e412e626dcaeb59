"""Slack, through an incoming webhook, in Block Kit (limits: https://docs.slack.dev/reference/block-kit/blocks)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.alerts.channels.http import Poster
from spanwise_collector.alerts.channels.message import Message, SendError, facts, heading, headline, link, sentences
from spanwise_collector.alerts.channels.secrets import without
from spanwise_collector.alerts.notice import Notice

_HEADER: Final = 150
_SECTION: Final = 3000
_ELEMENT: Final = 2000
_BLOCKS: Final = 50
_MARKS: Final = {"firing": ":red_circle:", "repeat": ":red_circle:", "resolved": ":large_green_circle:"}
_OTHER: Final = ":large_yellow_circle:"


@dataclass(frozen=True, slots=True)
class Slack:
    """Posts blocks to an incoming webhook.

    Attributes:
        url: of the webhook, a secret.
        poster: sends it.
    """

    url: Callable[[], str]
    poster: Poster

    def send(self, message: Message) -> str:
        """See `Sender.send`."""
        content = json.dumps(payload(message)).encode()
        url = self.url()
        try:
            self.poster.post(url, content, {"Content-Type": "application/json"})
        except SendError as error:
            raise SendError(without(str(error), url), retry_after_s=error.retry_after_s) from None
        return ""


def payload(message: Message) -> dict[str, Any]:
    """The message in Slack's form, within its limits."""
    blocks: list[dict[str, Any]] = []
    for number, notice in enumerate(message.notices):
        own = _blocks(notice, link(notice, message.dashboard_url))
        left = len(message.notices) - number
        if len(blocks) + len(own) + 1 > _BLOCKS:
            blocks.append(_section(f"and {left} more"))
            break
        blocks += own
    # `text` is what notifications and screen readers say.
    return {"text": _escaped(headline(message)), "blocks": blocks}


def _blocks(notice: Notice, address: str) -> list[dict[str, Any]]:
    title = f"{_MARKS.get(notice.kind, _OTHER)} {heading(notice)}"
    found: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, _HEADER), "emoji": True}}
    ]
    if words := sentences(notice):
        found.append(_section(_escaped(words)))
    if known := "\n".join(f"*{_escaped(label)}* {_escaped(words)}" for label, words in facts(notice)):
        found.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(known, _ELEMENT)}]})
    if address:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open in Spanwise"}, "url": address}
        found.append({"type": "actions", "elements": [button]})
    return found


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _SECTION)}}


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
