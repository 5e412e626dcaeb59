"""Values of signals as people read them, by their unit. Pure. What is unknown is a dash, never a zero."""

from typing import Final, Literal

from spanwise_dashboard.format import UNKNOWN, Better, Change, change, compact, duration, money, percent, points, size
from spanwise_schemas.signals import Direction, Unit, signal_named

AnyUnit = Unit | Literal[""]
_BETTER: Final[dict[Direction, Better]] = {"up": "down", "down": "up", "both": "neither"}


def value(number: float | None, unit: AnyUnit) -> str:
    """A value: `4.2%`, `1.35 s`, `12.3k`, `$0.0120`."""
    if number is None:
        return UNKNOWN
    match unit:
        case "ratio":
            return percent(number)
        case "ms":
            return duration(number)
        case "bytes":
            return size(round(number))
        case "nanousd":
            return money(round(number))
        case "tokens" | "count":
            return compact(number) if abs(number) >= 10 or number == int(number) else f"{number:.2g}"
        case _:
            return f"{number:.3g}"


def difference(number: float | None, unit: AnyUnit) -> str:
    """A difference with its sign; of shares in percentage points: `+3.1 pp`, `-120 ms`."""
    if number is None:
        return UNKNOWN
    if unit == "ratio":
        shown = f"{number * 100:+.2f}" if abs(number) < 0.1 else f"{number * 100:+.1f}"
        return "0 pp" if float(shown) == 0 else f"{shown} pp"
    text = value(abs(number), unit)
    return text if number == 0 else f"{'+' if number > 0 else '-'}{text}"


def interval(low: float | None, high: float | None, unit: AnyUnit) -> str:
    """A 95 % interval of a difference: `+1.2 to +4.0 pp`; empty where it is not known."""
    if low is None or high is None:
        return ""
    first, last = difference(low, unit), difference(high, unit)
    return f"{first.removesuffix(' pp')} to {last}"


def moved(after: float | None, before: float | None, unit: AnyUnit, worse: Direction) -> Change:
    """How a signal moved: shares in percentage points, anything else relative to what was before."""
    better = _BETTER[worse]
    return points(after, before, better) if unit == "ratio" else change(after, before, better)


def worse(signal: str) -> Direction:
    """The direction in which a signal is a regression; `both` where neither is, or the signal is not known here."""
    try:
        return signal_named(signal).worse
    except KeyError:
        return "both"


def title(signal: str) -> str:
    """A signal's name for people; the name itself where it is not known here."""
    try:
        return signal_named(signal).title
    except KeyError:
        return signal
