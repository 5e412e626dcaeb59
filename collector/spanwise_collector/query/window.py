"""The time range of a question."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.query.values import micros, time_of

MINUTE: Final = 60_000_000
HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
DEFAULT_WINDOW: Final = timedelta(hours=24)
LONGEST_WINDOW: Final = timedelta(days=400)
EARLIEST: Final = micros(datetime.fromisoformat("2000-01-01T00:00:00+00:00"))
LATEST: Final = micros(datetime.fromisoformat("2100-01-01T00:00:00+00:00"))


class WindowError(ValueError):
    """The time range cannot be used; the message says why and what to send."""


@dataclass(frozen=True, slots=True)
class Window:
    """From `start` (inside) to `end` (outside), microseconds since the epoch."""

    start: int
    end: int

    @classmethod
    def of(cls, start: datetime | None, end: datetime | None, now: datetime) -> "Window":
        """The window that a caller asked for.

        Args:
            start: `from`; 24 hours before the end when None.
            end: `to`; now when None.
            now: the current time.

        Raises:
            WindowError: without a time zone, upside down, longer than 400 days, or outside the years 2000 to 2099.
        """
        for name, time in (("from", start), ("to", end)):
            if time is not None and time.utcoffset() is None:
                raise WindowError(f"`{name}` has no time zone; send RFC 3339, for example 2026-01-31T12:00:00Z")
        upper = micros(end or now)
        lower = micros(start) if start is not None else upper - micros_of(DEFAULT_WINDOW)
        if lower >= upper:
            raise WindowError(
                f"`from` ({time_of(lower).isoformat()}) must be before `to` ({time_of(upper).isoformat()})"
            )
        if upper - lower > micros_of(LONGEST_WINDOW):
            raise WindowError(f"the time range is longer than {LONGEST_WINDOW.days} days; bring `from` and `to` closer")
        if lower < EARLIEST or upper > LATEST:
            raise WindowError("the time range must lie in the years 2000 to 2099")
        return cls(lower, upper)

    def aligned(self, step: int) -> "Window":
        """The smallest window of whole steps that contains this one."""
        return Window(self.start - self.start % step, self.end + -self.end % step)

    @property
    def length(self) -> int:
        """Microseconds."""
        return self.end - self.start

    @property
    def before(self) -> "Window":
        """The window of equal length that ends where this one starts."""
        return Window(self.start - self.length, self.start)


def micros_of(duration: timedelta) -> int:
    """A duration in microseconds."""
    return duration // timedelta(microseconds=1)
