"""Delivering what is in the outbox, at least once, by one of any number of deliverers.

For each message: *seal* (each notice is claimed for it, so that it is in no other), *claim* the attempt, *send*,
*record*. A crash before the sending loses nothing: what was claimed runs out, and another goes on with the same
message. A crash between sending and recording sends it again under the same key, which receivers know a repeat by
(`Idempotency-Key`, `dedup_key`, `Message-ID`); nobody can do without that window.
"""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.alerts.batches import GROUP_INTERVAL, Batch, due, seal_name, send_name
from spanwise_collector.alerts.channels.message import Message, Sender, SendError
from spanwise_collector.alerts.claims import SKEW, Store, last_claims, take
from spanwise_collector.alerts.outbox import Item, Outbox
from spanwise_collector.store.errors import StoreError

log = logging.getLogger(__name__)

SEAL_FOR: Final = timedelta(seconds=60)
"""From the first notice that is sealed to the claim of the attempt at most."""
SEND_FOR: Final = timedelta(seconds=120)
"""From the claim of an attempt until another may be made; an attempt that takes longer may be repeated meanwhile."""
GIVE_UP_AFTER: Final = timedelta(hours=24)
_FIRST_WAIT_S: Final = 10.0
_LONGEST_WAIT_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Route:
    """A channel as delivering sees it.

    Attributes:
        sender: sends to it.
        is_grouped: whether it takes several notices in one message.
    """

    sender: Sender
    is_grouped: bool


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did, in messages.

    Attributes:
        sent: delivered.
        failed: tried in vain; they are tried again.
        given_up: too old now.
    """

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def wait_s(attempts: int, rng: random.Random, retry_after_s: float | None = None) -> float:
    """Seconds until the next attempt: doubles from 10 s to half an hour, give or take a half.

    Args:
        attempts: that were made, from 1.
        rng: for the jitter, so that what failed together does not come back together.
        retry_after_s: what the receiver asked for; kept where it is longer, up to the longest wait.
    """
    plain = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempts - 1, 20))
    return max(plain * rng.uniform(0.5, 1.5), min(retry_after_s or 0.0, _LONGEST_WAIT_S))


class Deliverer:
    """Takes messages out of the outbox and sends them; used by one thread.

    Args:
        store: the database.
        outbox: what waits.
        routes: the channels that are configured now, by name.
        now: the time of day, UTC.
        new_id: a text that was never used before, for each message.
        rng: for the jitter.
        dashboard_url: for links; empty for none.
        on_step: is told each step that was taken; what it raises stops there.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        routes: Callable[[], Mapping[str, Route]],
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        rng: random.Random,
        dashboard_url: str = "",
        on_step: Callable[[str], object] = str,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._routes = routes
        self._now = now
        self._new_id = new_id
        self._rng = rng
        self._dashboard_url = dashboard_url
        self._on_step = on_step
        # What was sent and could not be recorded: recorded before anything else is sent.
        self._owed: list[tuple[list[Item], str]] = []

    def round(self) -> Round:
        """Send what is due.

        Raises:
            StoreError: as the store says; the next round goes on.
        """
        while self._owed:
            self._outbox.record(self._owed[0][0], token=self._owed[0][1])
            del self._owed[0]
        waiting, given_up = self._fresh(self._outbox.waiting())
        if not waiting:
            return Round(given_up=given_up)
        routes = self._routes()
        now = self._now()
        last_sent: dict[tuple[str, str, str], datetime] = {}
        for item in self._outbox.sent_since(now - GROUP_INTERVAL):
            last_sent[item.group] = max(item.next_at, last_sent.get(item.group, item.next_at))
        batches = due(
            waiting,
            last_claims(self._store, map(seal_name, waiting)),
            last_sent,
            now,
            is_grouped=lambda channel: channel not in routes or routes[channel].is_grouped,
        )
        outcomes = [self._deliver(batch, routes.get(batch.channel)) for batch in batches]
        return Round(outcomes.count(True), outcomes.count(False), given_up)

    def _fresh(self, waiting: Sequence[Item]) -> tuple[list[Item], int]:
        """What is not too old, and how many were."""
        now = self._now()
        fresh, old = [], []
        for item in waiting:
            if item.notice.at + GIVE_UP_AFTER > now:
                fresh.append(item)
                continue
            reason = f"given up after {GIVE_UP_AFTER // timedelta(hours=1)} h: {item.error or 'nobody delivered it'}"
            log.error("notification %s to %s was %s", item.notice.key, item.channel, reason)
            old.append(replace(item, state="given_up", next_at=now, error=reason))
        if old:
            self._outbox.record(old, token=f"{Batch(tuple(old), is_sealed=True).key}:old")
        return fresh, len(old)

    def _deliver(self, batch: Batch, route: Route | None) -> bool | None:
        """Make one attempt; True when delivered, False when not, None when another deliverer has it."""
        if not batch.is_sealed:
            sealed = self._sealed(batch)
            if sealed is None:
                return None
            batch = sealed
        name = send_name(batch)
        now = self._now()
        last = last_claims(self._store, [name]).get(name)
        if last is not None and last.term > batch.attempts and last.until + SKEW > now:
            return None
        attempt = max(last.term if last else 0, batch.attempts) + 1
        # An owner of its own each time: of two attempts in one process, too, one is made.
        if not take(self._store, name, attempt, self._new_id(), until=now + SEND_FOR, now=now):
            return None
        # Who slept since it looked may find that another has sent it.
        if not self._outbox.are_waiting(batch.items):
            return None
        self._on_step("claimed")
        return self._attempt(batch, route, attempt)

    def _sealed(self, batch: Batch) -> Batch | None:
        """What of it could be claimed for one message; None for nothing."""
        owner, began = self._new_id(), self._now()
        kept: list[Item] = []
        lost: set[tuple[str, str]] = set()
        for item in batch.items:
            if item.subject in lost:
                continue  # another deliverer has an earlier one of the same alert: this one comes after it
            if take(self._store, seal_name(item), 1, owner, until=began + SEAL_FOR, now=self._now()):
                kept.append(item)
                self._on_step("sealed")
            else:
                lost.add(item.subject)
        # After that time another may have taken the notices over.
        if not kept or self._now() >= began + SEAL_FOR:
            return None
        return Batch(tuple(kept), is_sealed=True)

    def _attempt(self, batch: Batch, route: Route | None, attempt: int) -> bool:
        message = Message(
            key=batch.key,
            channel=batch.channel,
            notices=tuple(item.notice for item in batch.items),
            keys=tuple(item.key for item in batch.items),
            dashboard_url=self._dashboard_url,
        )
        error, retry_after_s, is_sent = "", None, False
        try:
            if route is None:
                raise SendError(f"the alerts file of the collector that delivers has no channel {batch.channel}")
            error = route.sender.send(message)
            is_sent = True
        except SendError as problem:
            error, retry_after_s = str(problem), problem.retry_after_s
        except Exception as problem:  # a fault of one channel must not stop the others; it is seen with the notice
            log.exception("channel %s failed", batch.channel)
            error = f"an error that is not known here ({type(problem).__name__})"
        self._on_step("sent" if is_sent else "refused")
        self._record(batch, attempt, error, retry_after_s, is_sent=is_sent)
        return is_sent

    def _record(self, batch: Batch, attempt: int, error: str, retry_after_s: float | None, *, is_sent: bool) -> None:
        now = self._now()
        items = [replace(item, attempts=attempt, error=error, next_at=now) for item in batch.items]
        if is_sent:
            items = [replace(item, state="sent") for item in items]
        elif batch.items[0].notice.kind == "test":
            items = [replace(item, state="given_up") for item in items]
        else:
            next_at = now + timedelta(seconds=wait_s(attempt, self._rng, retry_after_s))
            items = [replace(item, state="failed", next_at=next_at) for item in items]
            log.warning("attempt %d to tell %s failed, the next is at %s: %s", attempt, batch.channel, next_at, error)
        token = f"{batch.key}:{attempt}"
        try:
            self._outbox.record(items, token=token)
        except StoreError:
            self._owed.append((items, token))
            raise
        self._on_step("recorded")
