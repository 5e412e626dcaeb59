"""From trials to what people read: findings with sentences, and what was tested and is usual."""

import hashlib
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from spanwise_collector.alerts.sentences import be, clock, shown, subject
from spanwise_collector.alerts.state import series_key
from spanwise_collector.drift.trial import Trial
from spanwise_schemas.api_drift import Finding, FindingForm, ShareShift, Watched

MAX_E: Final = 1e12
_FORMS: Final[dict[str, FindingForm]] = {
    "rate": "rate",
    "log_mean": "numeric",
    "ratio": "numeric",
    "mean": "score",
    "count": "volume",
    "sum": "numeric",
    "shares": "categorical",
}
_FILTERS: Final = {"route": "name", "environment": "environment", "model": "model"}


def e_value(log_e: float) -> float:
    """An e-value for people, cut where it says no more."""
    return min(math.exp(min(log_e, 100.0)), MAX_E)


def finding_id(day: str, name: str, series: str) -> str:
    """The same for the same finding of a day: 16 hex digits."""
    return hashlib.blake2b("\0".join((day, name, series)).encode(), digest_size=8).hexdigest()


def numeric_finding(trial: Trial, day: str) -> Finding:
    """A number that drifted."""
    signal = trial.subject.signal
    onset = trial.onset()
    change, low, high = (_told(value, trial) for value in (onset.effect, onset.low, onset.high))
    up = trial.value >= trial.usual
    an_hour = " an hour" if signal.form in ("count", "sum") else ""
    words = subject(signal, trial.names)
    since = clock(onset.began)
    return Finding(
        finding_id=finding_id(day, signal.name, series_key(trial.names)),
        signal=signal.name,
        title=signal.title,
        form=_FORMS[signal.form],
        series=dict(trial.names),
        direction="up" if up else "down",
        unit=signal.unit,
        before=trial.usual,
        after=trial.value,
        change=change,
        change_low=low,
        change_high=high,
        relative=trial.relative,
        began=datetime.fromtimestamp(onset.began, UTC),
        e_value=e_value(trial.log_e),
        sentence=f"{words} {be(signal)} {shown(trial.value, signal.unit)}{an_hour} where "
        f"{shown(trial.usual, signal.unit)} is usual for these hours, since {since}.",
        explanation=signal.means,
        band=trial.band(),
        samples_before=round(trial.n_before),
        samples_after=round(trial.n),
        filters=filters_of(trial),
    )


def mix_finding(trials: Sequence[Trial], reported: Sequence[Trial], day: str) -> Finding:
    """A category whose values changed their shares: one finding, however many values moved.

    Args:
        trials: of all values of the category.
        reported: those that moved.
        day: of the digest.
    """
    strongest = max(reported, key=lambda one: one.log_e)
    signal = strongest.subject.signal
    value = _value_of(strongest)
    began = strongest.onset().began
    shares = [
        ShareShift(value=_value_of(one), before=one.usual, after=one.value, low=low, high=high)
        for one in sorted(trials, key=lambda one: -abs(one.value - one.usual))
        if math.isfinite(one.usual) and math.isfinite(one.value)
        for low, high in [_share_interval(one)]
    ]
    return Finding(
        finding_id=finding_id(day, signal.name, ""),
        signal=signal.name,
        title=signal.title,
        form="categorical",
        direction="changed",
        unit="ratio",
        before=strongest.usual,
        after=strongest.value,
        change=strongest.value - strongest.usual,
        change_low=_share_interval(strongest)[0],
        change_high=_share_interval(strongest)[1],
        began=datetime.fromtimestamp(began, UTC),
        e_value=e_value(strongest.log_e),
        sentence=f"{signal.title}: {value or '(none)'} has {shown(strongest.value, 'ratio')} where "
        f"{shown(strongest.usual, 'ratio')} is usual, since {clock(began)}.",
        explanation=signal.means,
        band=strongest.band(),
        shares=shares,
        samples_before=round(strongest.n_before),
        samples_after=round(strongest.n),
        filters=filters_of(strongest),
    )


def _value_of(trial: Trial) -> str:
    """The category's value: the last name of the series."""
    return [*trial.names.values()][-1]


def watched(trial: Trial) -> Watched:
    """A series that has not drifted, or could not be tested."""
    signal = trial.subject.signal
    detail, verdict = "", _VERDICTS.get(trial.verdict, "usual")
    if verdict == "too_new":
        detail = f"{trial.days:.1f} days of history; 7 are needed"
    elif verdict == "too_few":
        detail = f"{trial.n:,.0f} in this day say too little"
    return Watched(
        signal=signal.name,
        title=subject(signal, trial.names),
        series=dict(trial.names),
        value=_finite(trial.value),
        before=_finite(trial.usual),
        unit=signal.unit,
        verdict=verdict,
        detail=detail,
    )


_VERDICTS: Final[dict[str, Literal["too_few", "too_new"]]] = {"too_few": "too_few", "too_new": "too_new"}


def filters_of(trial: Trial) -> dict[str, list[str]]:
    """For the list of traces: what of the series can be filtered by."""
    return {_FILTERS[name]: [value] for name, value in trial.names.items() if name in _FILTERS and value}


def _told(value: float, trial: Trial) -> float:
    return math.expm1(min(value, 50.0)) if trial.relative else value


def _share_interval(trial: Trial) -> tuple[float | None, float | None]:
    onset = trial.onset()
    if not (math.isfinite(onset.low) and math.isfinite(onset.high)):
        return None, None
    low, high = (trial.usual * math.expm1(min(end, 50.0)) for end in (onset.low, onset.high))
    return max(low, -1.0), min(high, 1.0)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
