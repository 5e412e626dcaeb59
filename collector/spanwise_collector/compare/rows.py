"""From sums by step of both sides to the rows of a comparison."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.compare.measures import Measure
from spanwise_collector.compare.ratios import Difference, Floats, Ratio, difference, holm, ratio
from spanwise_schemas.api_compare import Compared, Verdict
from spanwise_schemas.api_correction import ScoreCorrection
from spanwise_schemas.signals import Signal

LEVEL: Final = 0.95
MIN_SAMPLES: Final = 100
Sums = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Pair:
    """One number on both sides, with its test where there is enough to test.

    Attributes:
        signal: which.
        a: the first side; None where it cannot be told.
        b: the second.
        n_a: samples.
        n_b: samples.
        log: the values are means of logarithms.
        relative: differences are told as a share of the first side.
        test: b minus a; None where there is too little.
        correction: of a judge's score, what people's labels did; else None.
    """

    signal: Signal
    a: float | None
    b: float | None
    n_a: int
    n_b: int
    log: bool
    relative: bool
    test: Difference | None
    correction: ScoreCorrection | None = None


def pair(measure: Measure, a: Sums, b: Sums) -> Pair:
    """A measure on both sides, from its sums by step of time."""
    counts = [float(side[measure.under].sum()) for side in (a, b)]
    values = [float(side[measure.over].sum()) / n if n else None for side, n in zip((a, b), counts, strict=True)]
    sides = [ratio(side[measure.over], side[measure.under]) for side in (a, b)]
    test = None
    if min(counts) >= MIN_SAMPLES and sides[0] is not None and sides[1] is not None:
        test = _test(measure, sides[0], sides[1])
    return Pair(
        measure.signal,
        a=values[0],
        b=values[1],
        n_a=round(counts[0]),
        n_b=round(counts[1]),
        log=measure.scale == "log",
        relative=measure.relative,
        test=test,
    )


def _test(measure: Measure, a: Ratio, b: Ratio) -> Difference:
    # Without a single failure on a side its variance would be 0: it is believed to be at least that of half a failure.
    floor = 0.5 / min(a.n, b.n) if measure.signal.form == "rate" else 0.0
    return difference(a, b, floor=floor)


def compared(pairs: Sequence[Pair]) -> list[Compared]:
    """The rows of a comparison; p-values and intervals hold for all of them together."""
    tested = [one for one in pairs if one.test is not None]
    adjusted = dict(zip(map(id, tested), holm([one.test.p for one in tested if one.test]), strict=True))
    level = 1 - (1 - LEVEL) / max(1, len(tested))
    return [_row(one, adjusted.get(id(one)), level) for one in pairs]


def _row(one: Pair, p: float | None, level: float) -> Compared:
    a, b = _shown(one.a, one.log), _shown(one.b, one.log)
    found = low = high = None
    if one.test is not None:
        found, low, high = (_told(value, one) for value in (one.test.value, *one.test.interval(level)))
    verdict = _verdict(one, a, b, found, p)
    return Compared(
        signal=one.signal.name,
        title=one.signal.title,
        unit=one.signal.unit,
        a=a,
        b=b,
        n_a=one.n_a,
        n_b=one.n_b,
        difference=found,
        low=low,
        high=high,
        relative=one.relative,
        p_value=p,
        verdict=verdict,
        sentence=_SENTENCES[verdict].format(title=one.signal.title, held=one.correction.held if one.correction else ""),
        correction=one.correction,
    )


_SENTENCES: Final[dict[Verdict, str]] = {
    "better": "{title}: better.",
    "worse": "{title}: worse.",
    "different": "{title}: different, neither better nor worse.",
    "no_difference": "{title}: no difference that could not be chance or is too small to matter.",
    "too_few": "{title}: too little data to tell.",
    "not_trusted": "{title}: nothing is proven, the judge agrees too little with people ({held}).",
}


def _shown(value: float | None, log: bool) -> float | None:
    return math.exp(value) if log and value is not None else value


def _told(value: float, one: Pair) -> float | None:
    """A difference as it is told."""
    if one.log:
        return math.expm1(min(value, 700.0))
    if not one.relative:
        return value
    return value / one.a if one.a else None


def _verdict(one: Pair, a: float | None, b: float | None, found: float | None, p: float | None) -> Verdict:
    if one.test is None or p is None or a is None or b is None:
        return "too_few"
    if one.correction is not None and one.correction.held:
        return "not_trusted"
    signal = one.signal
    small = abs(b - a) < signal.min_absolute or (a != 0 and abs(b - a) < signal.min_relative * abs(a))
    if p >= 1 - LEVEL or small or b == a or found is None:
        return "no_difference"
    if signal.worse == "both":
        return "different"
    return "worse" if (b > a) == (signal.worse == "up") else "better"
