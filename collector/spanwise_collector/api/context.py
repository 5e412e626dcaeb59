"""What the endpoints work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from spanwise_collector.api.instruments import Instruments
from spanwise_collector.ingest.status import IngestStatus
from spanwise_collector.query.values import micros
from spanwise_collector.store.database import Reader


@dataclass(frozen=True, slots=True)
class Context:
    """One app's parts.

    Attributes:
        reader: the store.
        status: what ingest says of itself; None where this process does not ingest.
        clock: current time, UTC.
        timeout_s: for each query.
        version: of Spanwise.
        instruments: what is counted.
    """

    reader: Reader
    status: Callable[[], IngestStatus | None]
    clock: Callable[[], datetime]
    timeout_s: float
    version: str
    instruments: Instruments

    @property
    def now_us(self) -> int:
        """Current time in microseconds since the epoch."""
        return micros(self.clock())


def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


In = Annotated[Context, Depends(_context)]
