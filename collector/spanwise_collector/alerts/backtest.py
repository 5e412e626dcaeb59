"""Trying a rule on history: when would it have fired? The same walk as the engine's, with no peeking."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from spanwise_collector.alerts.evaluate import evaluator_of
from spanwise_collector.alerts.evaluate.base import Evaluator, Outcome
from spanwise_collector.alerts.evaluate.data import RoundData
from spanwise_collector.alerts.evaluate.walk import Happening, Standing, Surroundings, chunks, needs, walk
from spanwise_collector.alerts.sentences import promise
from spanwise_collector.alerts.signals import FIVE_MINUTES_S
from spanwise_collector.store.database import Reader
from spanwise_schemas.api_alerts import BackTest, Band, Firing
from spanwise_schemas.rules import MissingData, Rule

NEVER: Final = 1 << 62
MAX_FIRINGS: Final = 1_000
MAX_POINTS: Final = 4_000


def back_test(
    rule: Rule,
    reader: Reader,
    start: datetime,
    end: datetime,
    *,
    progress: Callable[[float], object] = lambda share: None,
) -> BackTest:
    """Evaluate a rule at every tick of a time range, as if each were now.

    Args:
        rule: which; whether it is enabled does not matter.
        reader: the store.
        start: of the first tick, UTC.
        end: of the last.
        progress: is told the share that is done, in (0, 1].

    Raises:
        RuleError: the rule cannot be evaluated as it is written.
        StoreError: as the store says.
    """
    evaluator = evaluator_of(rule)
    first = -(-int(start.timestamp()) // evaluator.step) * evaluator.step
    last = int(end.timestamp()) // evaluator.step * evaluator.step
    first, note = _from_data(reader, rule, evaluator, first, last)
    standing = Standing(f"back-test of {rule.id}")
    data = RoundData(reader)
    outcomes: list[Outcome] = []
    around = Surroundings(rule=rule, promise=promise(rule), now=NEVER, on_outcome=outcomes.append)
    found: list[Happening] = []
    if first <= last:
        data.plan(needs(evaluator, standing, first, last))
    for chunk_start, chunk_end in chunks(evaluator, first, last):
        found.extend(walk(evaluator, standing, chunk_start, chunk_end, data, around))
        progress((chunk_end - first + evaluator.step) / (last - first + evaluator.step))
    firings = _firings(found)
    series = next((one.series for one in found if one.step.after == "firing"), "")
    return BackTest(
        rule_id=rule.id,
        start=start,
        end=end,
        series=max((len(outcome.keys) for outcome in outcomes), default=0),
        evaluations=sum(outcome.status.size for outcome in outcomes),
        firings=firings[:MAX_FIRINGS],
        firing_hours=round(sum(((one.ended_at or end) - one.fired_at).total_seconds() for one in firings) / 3600, 2),
        promise=promise(rule),
        band=_band(outcomes, series, first),
        note=" ".join(filter(None, (note, standing.note))),
    )


def _from_data(reader: Reader, rule: Rule, evaluator: Evaluator, first: int, last: int) -> tuple[int, str]:
    """The first tick that there is data for, and what to say where that is later than asked."""
    if isinstance(rule, MissingData):
        return last + evaluator.step, "It cannot be tried on the past: of what was missing then nothing is kept."
    table = "signals_1h" if evaluator.step > FIVE_MINUTES_S else "signals_5m"
    rows = reader.query(
        f"SELECT toUnixTimestamp(min(time)), count() FROM {table} WHERE project_id = {{project:String}}",
        {"project": rule.project},
    ).rows
    if not rows[0][1]:
        return last + evaluator.step, "There is no data."
    oldest = -(-(int(rows[0][0]) + evaluator.warmup) // evaluator.step) * evaluator.step
    if oldest <= first:
        return first, ""
    kept = " (steps of five minutes are kept for two weeks)" if evaluator.step == FIVE_MINUTES_S else ""
    return oldest, f"There is data to try it on from {datetime.fromtimestamp(oldest, UTC):%-d %B %Y, %H:%M} UTC{kept}."


def _firings(found: Sequence[Happening]) -> list[Firing]:
    pending: dict[str, datetime] = {}
    fired: dict[str, Firing] = {}
    firings: list[Firing] = []
    for one in found:
        at = datetime.fromtimestamp(one.step.at, UTC)
        match one.step.after:
            case "pending":
                pending[one.series] = at
            case "firing" if one.series not in fired:
                alert = one.alert
                fired[one.series] = Firing(
                    series=alert.series,
                    pending_at=pending.pop(one.series, None),
                    fired_at=at,
                    began=alert.began,
                    value=alert.value,
                    expected=alert.expected,
                    sentence=alert.sentence,
                )
            case "inactive":
                pending.pop(one.series, None)
            case "resolved" if one.series in fired:
                firings.append(fired.pop(one.series).model_copy(update={"ended_at": at}))
    return sorted([*firings, *fired.values()], key=lambda one: (one.fired_at, sorted(one.series.items())))


def _band(outcomes: Sequence[Outcome], series: str, first: int) -> Band | None:
    """The chart of one series over all runs, put together from those of the runs."""
    whole: Band | None = None
    for outcome in outcomes:
        if series not in outcome.keys and (series or not outcome.keys):
            continue
        row = outcome.keys.index(series) if series in outcome.keys else 0
        ticks = outcome.status.shape[1]
        part = outcome.band(row, ticks - 1)
        if part is None:
            continue
        since = whole.times[-1] if whole else datetime.fromtimestamp(first - outcome.step - 1, UTC)
        kept = [place for place, time in enumerate(part.times) if time > since]
        whole = _joined(whole, part, kept)
        if len(whole.times) > MAX_POINTS:
            break
    return whole


def _joined(whole: Band | None, part: Band, kept: Sequence[int]) -> Band:
    def values(name: str) -> list[object]:
        held, new = getattr(whole, name) if whole else [], getattr(part, name)
        return [*held, *(new[place] for place in kept if new)]

    lists = {name: values(name) for name in ("times", "values", "expected", "low", "high")}
    return part.model_copy(update=lists)
