"""Numbers and times as people read them. Pure. What is unknown is a dash, never a zero."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Literal

UNKNOWN: Final = "—"
NANO: Final = 1_000_000_000

Better = Literal["up", "down", "neither"]
Tone = Literal["good", "bad", "neutral"]


def money(nanousd: int | None) -> str:
    """US dollars from nano-dollars, with as many digits as the amount deserves.

    A cent and more has two to four decimals, less than that two significant digits, so that what is not zero never
    reads as zero.
    """
    if nanousd is None:
        return UNKNOWN
    sign = "-" if nanousd < 0 else ""
    nanos = abs(nanousd)
    dollars = nanos / NANO
    if nanos == 0:
        return "$0"
    if dollars >= 999_500:
        return f"{sign}${dollars / 1e6:,.2f}M"
    if dollars >= 999.5:
        return f"{sign}${dollars:,.0f}"
    if dollars >= 0.995:
        return f"{sign}${dollars:,.2f}"
    if dollars >= 0.01:
        return f"{sign}${dollars:.4f}"
    # The first two significant digits: 9 decimals is the resolution of the unit.
    digits = min(9, 11 - len(str(nanos)))
    return f"{sign}${dollars:.{digits}f}"


def money_in_brief(nanousd: int | None) -> str:
    """Like `money`, for narrow places: what is below a hundredth of a cent reads `<$0.0001`."""
    return "<$0.0001" if nanousd is not None and 0 < nanousd < 100_000 else money(nanousd)


def duration(ms: float | None) -> str:
    """A duration from milliseconds: `0.4 ms`, `42 ms`, `1.35 s`, `2m 05s`, `3h 10m`, `2d 4h`."""
    if ms is None:
        return UNKNOWN
    if ms < 0:
        return f"-{duration(-ms)}"
    if ms == 0:
        return "0 ms"
    if ms < 9.95:
        return f"{max(ms, 0.01):.2g} ms" if ms < 0.095 else f"{ms:.1f} ms"
    if ms < 999.5:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        seconds = ms / 1000
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    total = round(ms / 1000)
    if total < 3600:
        return f"{total // 60}m {total % 60:02d}s"
    if total < 86_400:
        return f"{total // 3600}h {total % 3600 // 60:02d}m"
    return f"{total // 86_400}d {total % 86_400 // 3600}h"


def count(number: float | None) -> str:
    """A whole number with separators."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def compact(number: float | None) -> str:
    """A count in at most five characters: `9,999`, `12.3k`, `4.57M`, `1.20B`."""
    if number is None:
        return UNKNOWN
    if number < 0:
        return f"-{compact(-number)}"
    if number < 9_999.5:
        return f"{number:,.0f}"
    for limit, divisor, unit in ((999_500, 1e3, "k"), (999_500_000, 1e6, "M"), (float("inf"), 1e9, "B")):
        if number < limit:
            scaled = number / divisor
            decimals = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
            return f"{scaled:,.{decimals}f}{unit}"
    raise AssertionError("unreachable: the last limit is infinite")


def percent(ratio: float | None) -> str:
    """A share from a ratio: `0%`, `<0.01%`, `0.42%`, `12.3%`, `100%`; what is not zero never reads as zero."""
    if ratio is None:
        return UNKNOWN
    share = ratio * 100
    if share in (0, 100):
        return f"{share:.0f}%"
    if abs(share) < 0.01:
        return "<0.01%"
    return f"{share:.2f}%" if abs(share) < 9.995 else f"{share:.1f}%"


def size(octets: int | None) -> str:
    """Bytes in units of 1,000: `512 B`, `4.2 kB`, `1.3 GB`."""
    if octets is None:
        return UNKNOWN
    value = float(octets)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.5 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable: TB takes the rest")


def ratio(part: float, whole: float) -> float | None:
    """Part over whole, or None where there is nothing to divide by."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Change:
    """How a number moved against the window before.

    Attributes:
        text: `+12.3%`, `-4.0%`, `new`, or empty where nothing can be said.
        tone: whether that is good news.
    """

    text: str
    tone: Tone

    @property
    def rising(self) -> bool:
        """True when the number grew."""
        return not self.text.startswith("-")


NO_CHANGE: Final = Change("", "neutral")


def change(current: float | None, previous: float | None, better: Better = "neither") -> Change:
    """The relative change from `previous` to `current`.

    Args:
        current: this window's number, None where unknown.
        previous: the number of the window before.
        better: the direction that is good news.
    """
    if current is None or previous is None or (current == 0 and previous == 0):
        return NO_CHANGE
    if previous == 0:
        return Change("new", _tone(1, better))
    relative = (current - previous) / abs(previous)
    if abs(relative) < 0.0005:
        return Change("0%", "neutral")
    text = f"{relative:+.0%}" if abs(relative) >= 0.995 else f"{relative:+.1%}"
    if relative > 99:
        text = f"x{current / previous:,.0f}"
    return Change(text, _tone(relative, better))


def points(current: float | None, previous: float | None, better: Better = "neither") -> Change:
    """The change of a share in percentage points: `+0.8 pp`."""
    if current is None or previous is None:
        return NO_CHANGE
    difference = (current - previous) * 100
    if abs(difference) < 0.005:
        return Change("0 pp", "neutral") if current or previous else NO_CHANGE
    return Change(f"{difference:+.2f} pp", _tone(difference, better))


def _tone(difference: float, better: Better) -> Tone:
    if better == "neither":
        return "neutral"
    return "good" if (difference > 0) == (better == "up") else "bad"


def clock(moment: datetime, zone: tzinfo, now: datetime) -> str:
    """A time in the viewer's zone, with the date unless it is today: `11:42:07`, `21 Nov 11:42:07`."""
    local = moment.astimezone(zone)
    today = now.astimezone(zone).date()
    if local.date() == today:
        return f"{local:%H:%M:%S}"
    return f"{local.day} {local:%b %H:%M:%S}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M:%S}"


def minute(moment: datetime, zone: tzinfo, now: datetime) -> str:
    """A time to the minute, with the date unless it is today: `11:42`, `21 Nov 11:42`."""
    return clock(moment, zone, now)[:-3]


def timestamp(moment: datetime, zone: tzinfo) -> str:
    """A full time with milliseconds in the viewer's zone: `2026-11-22 11:42:07.123 CET`."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03d} {local:%Z}"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit: `now`, `12 s ago`, `3 h ago`."""
    if moment is None:
        return UNKNOWN
    seconds = (now - moment).total_seconds()
    if seconds < 2:
        return "now"
    for limit, divisor, unit in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (float("inf"), 86_400, "d")):
        if seconds < limit:
            return f"{seconds // divisor:.0f} {unit} ago"
    raise AssertionError("unreachable: the last limit is infinite")


def plural(number: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 span`, `2,000 spans`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
