"""What the endpoints work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from spanwise_collector.api.instruments import Instruments
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.query.values import micros
from spanwise_collector.store.database import Reader


@dataclass(frozen=True, slots=True)
class Vitals:
    """What tells whether one app's process is well.

    Attributes:
        version: of Spanwise.
        status: what ingest says of itself; None where this process does not ingest.
        checks: what it needs, by name; each returns `ok`, or what is wrong and what to do.
        instruments: what is counted.
    """

    version: str
    status: Callable[[], IngestStatus | None]
    checks: Mapping[str, Callable[[], str]]
    instruments: Instruments


@dataclass(frozen=True, slots=True)
class Context:
    """The query API's parts.

    Attributes:
        reader: the store.
        status: what ingest says of itself; None where this process does not ingest.
        clock: current time, UTC.
        timeout_s: for each query.
        prices: what model calls cost, for questions about what they would have cost.
        retention_days: after so many spans expire.
    """

    reader: Reader
    status: Callable[[], IngestStatus | None]
    clock: Callable[[], datetime]
    timeout_s: float
    prices: PriceBook
    retention_days: int = 30

    @property
    def now_us(self) -> int:
        """Current time in microseconds since the epoch."""
        return micros(self.clock())


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def _vitals(request: Request) -> Vitals:
    vitals: Vitals = request.app.state.vitals
    return vitals


In = Annotated[Context, Depends(_context)]
VitalsIn = Annotated[Vitals, Depends(_vitals)]
