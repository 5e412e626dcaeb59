"""Erasing as a part of the process: what the API asks for, and the thread that does it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from spanwise_collector.alerts.claims import Lease
from spanwise_collector.erase.book import ErasureBook
from spanwise_collector.erase.eraser import Eraser
from spanwise_collector.erase.keeper import COUNTS, Keeper
from spanwise_collector.periodic import Periodic
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database

LEASE: Final = "erasures"
LEASE_S: Final = 600.0
"""More than a step may take; it is renewed between them."""
ROUND_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class ForApi:
    """What the endpoints work with.

    Attributes:
        book: of erasures.
        eraser: counts what one would remove.
        now: the time of day, UTC.
        new_id: a text that was never used before.
    """

    book: ErasureBook
    eraser: Eraser
    now: Callable[[], datetime]
    new_id: Callable[[], str]


class Erasing(Collector):
    """Erasing of this process.

    Attributes:
        for_api: what the endpoints work with.
    """

    def __init__(self, for_api: ForApi, runner: Periodic) -> None:
        self.for_api = for_api
        self._runner = runner

    def start(self) -> None:
        """Begin; returns at once."""
        self._runner.start()

    def stop(self) -> None:
        """End after the round that is under way, or at the next step of it; may be called without a start."""
        self._runner.stop()

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        return self._runner.collect()


def make_erasing(
    database: Database, amender: Amender, *, owner: str, now: Callable[[], datetime], new_id: Callable[[], str]
) -> Erasing:
    """The parts; not started.

    Args:
        database: the store.
        amender: the one of this process.
        owner: of this process alone.
        now: the time of day, UTC.
        new_id: a text that was never used before.
    """
    book = ErasureBook(database, owner, now)
    lease = Lease(database, LEASE, owner, LEASE_S, now)
    eraser = Eraser(database, book, amender, may_go_on=lease.is_leader)
    runner = Periodic(
        "erasures",
        Keeper(book, eraser, now).step,
        counts=COUNTS,
        is_leader=lease.is_leader,
        interval_s=ROUND_S,
        at_stop=lease.release,
    )
    return Erasing(ForApi(book, eraser, now, new_id), runner)
