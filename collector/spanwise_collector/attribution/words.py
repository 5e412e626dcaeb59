"""Slices and differences in words."""

from collections.abc import Mapping
from typing import Final

from spanwise_collector.alerts.sentences import shown
from spanwise_collector.attribution.model import Slice
from spanwise_schemas.api_changes import SliceChange
from spanwise_schemas.signals import Signal

WHOLE: Final = "all of the traffic"
_NAMES: Final[Mapping[str, str]] = {"user_group": "user group", "route": "request"}
_LITTLE: Final = 0.1


def label(one: Slice) -> str:
    """A slice: `model m-1, prompt ask@v2`."""
    return ", ".join(f"{_NAMES.get(name, name)} {value or '(none)'}" for name, value in one.dims) or WHOLE


def of_slice(signal: Signal, one: SliceChange) -> str:
    """What a slice did, as in `Refusals rose from 1.1 % to 9.8 %`."""
    if signal.form == "shares":
        return f"From {shown(one.before, 'ratio')} to {shown(one.after, 'ratio')} of the traffic."
    if one.after is None:
        return "It is gone."
    if one.before is None or one.n_before == 0:
        return f"New: there was none of it before. {signal.title}: {shown(one.after, signal.unit)}."
    return _moved(signal, one.before, one.after)


def outcome(signal: Signal, before: float | None, after: float | None, slices: list[SliceChange], *, sure: bool) -> str:
    """The outcome in a sentence or two.

    Args:
        signal: what it is about.
        before: the number before.
        after: the number after.
        slices: those that moved it, the best first.
        sure: whether the interval of the difference is all on one side of 0; parts of no difference mean nothing.
    """
    if signal.form == "shares" and slices:
        return f"{signal.title} shifted most at {slices[0].label}. {of_slice(signal, slices[0])}"
    if before is None or after is None:
        moved = "" if slices else "There is too little to compare."
    else:
        moved = _moved(signal, before, after)
    if not slices:
        return f"{moved} No slice stands out.".strip()
    first = slices[0]
    if moved and not sure:
        return f"{moved} That may be chance, but it moved in {first.label}."
    if not first.dims:
        return f"{moved} It moved in {WHOLE} alike.".strip()
    if first.share >= 1 - _LITTLE:
        part = "All of it comes" if moved else "It comes"
    else:
        part = f"{shown(first.share, 'ratio')} of it comes" if first.share > 0 else "Most comes"
    return f"{moved} {part} from {first.label}.".strip()


def _moved(signal: Signal, before: float, after: float) -> str:
    then, now = shown(before, signal.unit), shown(after, signal.unit)
    if then == now:
        return f"{signal.title}: {now} in both windows."
    return f"{signal.title} {'rose' if after > before else 'fell'} from {then} to {now}."
