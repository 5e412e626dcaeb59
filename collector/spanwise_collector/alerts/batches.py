"""What is told now, and together: from what waits to messages. Pure.

What belongs to one channel, project and rule goes into one message: the first waits `GROUP_WAIT` for others, and after
a message the next waits `GROUP_INTERVAL`. Which notices are one message is settled once, by a claim on each
(`seal:<key>`, whose owner is the message), so that a repeated attempt says the same under the same key. And of one
alert a channel hears in order: while one notice waits or is on its way, later ones wait.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.alerts.claims import SKEW, Claim
from spanwise_collector.alerts.outbox import Item

GROUP_WAIT: Final = timedelta(seconds=30)
GROUP_INTERVAL: Final = timedelta(minutes=5)
MAX_ITEMS: Final = 20
"""Notices in one message."""
_URGENCY: Final = ("page", "ticket", "info")


@dataclass(frozen=True, slots=True)
class Batch:
    """Notices that are told in one message, in order.

    Attributes:
        items: at least one, of one channel.
        is_sealed: whether they are one message already; else each is to be claimed first.
    """

    items: tuple[Item, ...]
    is_sealed: bool

    @property
    def channel(self) -> str:
        """Where it goes."""
        return self.items[0].channel

    @property
    def attempts(self) -> int:
        """How many were recorded."""
        return self.items[0].attempts

    @property
    def key(self) -> str:
        """The same for the same notices on the same channel: what receivers know a repeat by. 32 hex digits."""
        return hashlib.sha256("\n".join(item.key for item in self.items).encode()).hexdigest()[:32]


def seal_name(item: Item) -> str:
    """Name of the claim that says which message a notice is in."""
    return f"seal:{item.key}"


def send_name(batch: Batch) -> str:
    """Name of the claims on attempts to send a message."""
    return f"send:{batch.key}"


def due(
    waiting: Sequence[Item],
    seals: Mapping[str, Claim],
    last_sent: Mapping[tuple[str, str, str], datetime],
    now: datetime,
    *,
    is_grouped: Callable[[str], bool],
) -> list[Batch]:
    """The messages to send now, the most urgent first.

    Args:
        waiting: all that is neither sent nor given up.
        seals: the newest claim of each `seal_name`.
        last_sent: when a group was told of last; groups of long ago may be absent.
        now: current time, UTC.
        is_grouped: whether a channel, by name, takes several notices in one message.
    """
    ordered = sorted(waiting, key=lambda item: (item.notice.at, item.key))
    sealed: dict[tuple[str, int], list[Item]] = {}
    busy: set[tuple[str, str]] = set()
    for item in ordered:
        if (seal := seals.get(seal_name(item))) is not None:
            busy.add(item.subject)
            # Before the first attempt it is its maker's, for as long as it claimed it.
            if item.attempts or seal.until + SKEW <= now:
                sealed.setdefault((seal.owner, item.attempts), []).append(item)
    found = [
        Batch(tuple(items), is_sealed=True) for items in sealed.values() if all(item.next_at <= now for item in items)
    ]
    for items in _groups(ordered, seals, busy, is_grouped).values():
        first = items[0]
        told = last_sent.get(first.group)
        if not _waits(first, told, now, is_grouped=is_grouped(first.channel)):
            found.append(Batch(tuple(items[:MAX_ITEMS]), is_sealed=False))
    return sorted(found, key=lambda batch: min(_URGENCY.index(item.notice.severity) for item in batch.items))


def _groups(
    ordered: Sequence[Item],
    seals: Mapping[str, Claim],
    busy: set[tuple[str, str]],
    is_grouped: Callable[[str], bool],
) -> dict[tuple[str, ...], list[Item]]:
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in ordered:
        if seal_name(item) in seals or item.subject in busy:
            continue
        if is_grouped(item.channel) and item.notice.kind != "test":
            groups.setdefault(item.group, []).append(item)
        else:
            groups[(item.key,)] = [item]
            busy.add(item.subject)  # the next of this alert comes after it
    return groups


def _waits(first: Item, told: datetime | None, now: datetime, *, is_grouped: bool) -> bool:
    if first.notice.kind == "test" or not is_grouped:
        return False
    return first.notice.at + GROUP_WAIT > now or (told is not None and told + GROUP_INTERVAL > now)
