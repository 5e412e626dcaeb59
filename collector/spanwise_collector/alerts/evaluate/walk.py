"""From tick to tick, verdicts into lives of alerts: the one way for the engine, history and back-tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from spanwise_collector.alerts.evaluate.base import Carried, Data, Evaluator, Need, Outcome, Status, Words
from spanwise_collector.alerts.lifecycle import IN_HISTORY, Life, Muted, Step, advance
from spanwise_collector.alerts.state import Acknowledgement, Restart, Silencing, alert_hex, alert_id_of, series_of
from spanwise_schemas.api_alerts import Alert, Band
from spanwise_schemas.rules import Rule, watched_signal


@dataclass(slots=True)
class Standing:
    """What is known of a rule between ticks.

    Attributes:
        rule_key: its id and what it says, for the ids of its alerts.
        evaluated_to: the last tick, seconds since the epoch; 0 before the first.
        carried: of the evaluator.
        lives: by series key; what never was unwell may be absent.
        alerts: by series key, of the lives that have one: how it stood at its last change.
        series: how many were watched at the last tick.
        note: of the evaluator, at the last tick.
    """

    rule_key: str
    evaluated_to: int = 0
    carried: Carried = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    series: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """A step in the life of an alert, with what is known of it.

    Attributes:
        series: key.
        step: what happened.
        life: where the series stands afterwards.
        alert: as it stands afterwards.
        evidence: label to words, where it fires.
        band: likewise.
    """

    series: str
    step: Step
    life: Life
    alert: Alert
    evidence: Mapping[str, str] = field(default_factory=dict)
    band: Band | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What beside the data decides what happens.

    Attributes:
        rule: the rule.
        restarts: that concern it, oldest first.
        silences: that hold.
        live_from: the first tick that people are told of; those before are history.
        acknowledged: by alert id.
        promise: how often an alarm of it is false.
        now: the newest tick; repeats are told there only.
        on_outcome: is given the verdicts of each run.
    """

    rule: Rule
    restarts: Sequence[Restart] = ()
    silences: Sequence[Silencing] = ()
    live_from: int = 0
    acknowledged: Mapping[int, Acknowledgement] = field(default_factory=dict)
    promise: str = ""
    now: int = 0
    on_outcome: Callable[[Outcome], object] = lambda outcome: None

    def muted(self, names: Mapping[str, str], tick: int) -> Muted:
        """Why people are not to be told of a series (dimension to value) at a tick."""
        if tick < self.live_from:
            return "history"
        return "silenced" if self.silence(names, tick) else ""

    def silence(self, names: Mapping[str, str], tick: int) -> Silencing | None:
        """The silence that holds for a series, the longest."""
        at = datetime.fromtimestamp(tick, UTC)
        found = [one for one in self.silences if one.covers(self.rule.id, names, at)]
        return max(found, key=lambda one: one.ends_at, default=None)


def chunks(evaluator: Evaluator, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Ticks from `first` to `last` in stretches that one run takes."""
    start = first
    while start <= last:
        number = (start - evaluator.chunk_offset) // evaluator.chunk
        boundary = (number + 1) * evaluator.chunk + evaluator.chunk_offset
        end = min(last, boundary - evaluator.step)
        yield start, end
        start = end + evaluator.step


def needs(evaluator: Evaluator, standing: Standing, first: int, last: int) -> Iterator[Need]:
    """What walking over these ticks will read, as far as that is known."""
    for start, end in chunks(evaluator, first, last):
        yield from evaluator.needs(start, end, standing.carried if start == first else {})


def walk(
    evaluator: Evaluator, standing: Standing, first: int, last: int, data: Data, around: Surroundings
) -> Iterator[Happening]:
    """Take the ticks from `first` to `last` in; `standing` goes along.

    Raises:
        RuleError: see `Evaluator.run`.
        StoreError: likewise; `standing` is where it was before the chunk that failed.
    """
    for start, end in chunks(evaluator, first, last):
        outcome = evaluator.run(start, end, data, standing.carried, around.restarts)
        around.on_outcome(outcome)
        found = _Chunk(evaluator, standing, outcome, around)
        yield from found.happenings()
        standing.carried = outcome.carried
        standing.evaluated_to = end
        standing.series = len(outcome.keys)
        standing.note = outcome.note


class _Chunk:
    """One run's verdicts on their way into lives."""

    def __init__(self, evaluator: Evaluator, standing: Standing, outcome: Outcome, around: Surroundings) -> None:
        self._policy = evaluator.policy
        self._standing = standing
        self._outcome = outcome
        self._around = around

    def happenings(self) -> list[Happening]:
        """By time, so that they are told in order."""
        found: list[Happening] = []
        outcome = self._outcome
        for number, key in enumerate(outcome.keys):
            found.extend(self._series(key, outcome.names[number], number))
        for key in [key for key, life in self._standing.lives.items() if not life.is_closed]:
            if key not in outcome.keys:
                found.extend(self._series(key, series_of(key), None))
        return sorted(found, key=lambda one: (one.step.at, one.series, one.step.seq, one.step.repeat))

    def _series(self, key: str, names: Mapping[str, str], number: int | None) -> Iterator[Happening]:
        life = self._standing.lives.get(key, Life())
        count = self._outcome.status.shape[1]
        status = self._outcome.status[number] if number is not None else np.full(count, Status.NO_DATA, dtype=np.int8)
        eventful = np.flatnonzero(self._is_eventful(status))
        place = 0
        while place < count:
            if life.is_closed and not life.wait:
                # What is well and stays so changes nothing.
                later = eventful[eventful >= place]
                if not later.size:
                    break
                place = int(later[0])
            at = self._outcome.tick(place)
            life, steps = advance(
                life,
                Status(int(status[place])),
                at,
                self._policy,
                self._around.rule.severity,
                muted=self._around.muted(names, at),
                acknowledged=self._acknowledged(key, life),
                is_now=at >= self._around.now,
            )
            self._standing.lives[key] = life
            for step in steps:
                yield self._happening(key, names, number, place, step, life)
            place += 1

    def _is_eventful(self, status: np.ndarray) -> np.ndarray:
        eventful = status == Status.BREACH
        if self._policy.no_data == "alert":
            eventful = eventful | (status == Status.NO_DATA)
        return np.asarray(eventful)

    def _acknowledged(self, key: str, life: Life) -> Acknowledgement | None:
        if life.is_closed or not self._around.acknowledged:
            return None
        return self._around.acknowledged.get(self._id(key, life.started))

    def _id(self, key: str, started: int) -> int:
        return alert_id_of(
            self._around.rule.project, self._standing.rule_key, key, datetime.fromtimestamp(started, UTC)
        )

    def _happening(
        self, key: str, names: Mapping[str, str], number: int | None, place: int, step: Step, life: Life
    ) -> Happening:
        alert_id = self._id(key, step.started)
        alert = self._standing.alerts.get(key)
        words = None
        if alert is None or alert.alert_id != alert_hex(alert_id):
            alert, words = self._begun(alert_id, names, number, place, step)
        band = None
        if number is not None and step.fires:
            words = words or self._outcome.words(number, place)
            band = self._outcome.band(number, place)
        changes = self._changes(alert, number, place, step, words)
        alert = alert.model_copy(update=changes)
        self._standing.alerts[key] = alert
        return Happening(key, step, life, alert, words.evidence if words and step.fires else {}, band)

    def _begun(
        self, alert_id: int, names: Mapping[str, str], number: int | None, place: int, step: Step
    ) -> tuple[Alert, Words | None]:
        rule, outcome = self._around.rule, self._outcome
        signal = watched_signal(rule)
        at = datetime.fromtimestamp(step.at, UTC)
        words = None
        if number is not None and outcome.status[number, place] == Status.BREACH:
            words = outcome.words(number, place)
        alert = Alert(
            alert_id=alert_hex(alert_id),
            project=rule.project,
            rule_id=rule.id,
            rule_name=rule.title,
            rule_type=rule.type,
            severity=rule.severity,
            signal=outcome.signals[number] if outcome.signals and number is not None else signal.name if signal else "",
            unit=outcome.units[number] if outcome.units and number is not None else signal.unit if signal else "",
            series=dict(names),
            state=step.after,
            since=at,
            began=at,
            sentence=words.sentence if words else "There is no data.",
            promise=self._around.promise,
        )
        return alert, words

    def _changes(
        self, alert: Alert, number: int | None, place: int, step: Step, words: Words | None
    ) -> dict[str, object]:
        at = datetime.fromtimestamp(step.at, UTC)
        changes: dict[str, object] = {"state": step.after}
        if step.after != step.before:
            changes["since"] = at
        if number is not None:
            changes["value"] = _number(self._outcome.value[number, place])
        if words is not None and number is not None:
            changes |= self._effect(number, place, step, words)
        if step.after == "firing" and alert.fired_at is None:
            changes["fired_at"] = at
        if step.after in ("resolved", "inactive"):
            changes["ended_at"] = at
        if step.fires:
            silence = self._around.silence(alert.series, step.at)
            changes["silenced_until"] = silence.ends_at if silence else None
        if step.note == IN_HISTORY:
            changes["in_history"] = True
        elif step.tells == "firing":
            changes["in_history"] = False
        return changes

    def _effect(self, number: int, place: int, step: Step, words: Words) -> dict[str, object]:
        """What is wrong, in words and numbers."""
        outcome = self._outcome
        began = int(outcome.began[number, place])
        changes: dict[str, object] = {
            "sentence": words.sentence,
            "expected": _number(outcome.expected[number, place]),
            "effect_low": _number(outcome.low[number, place]),
            "effect_high": _number(outcome.high[number, place]),
            "began": datetime.fromtimestamp(began if began > 0 else step.at, UTC),
        }
        if words.value is not None:
            changes["value"] = _number(words.value)
        if words.expected is not None:
            changes["expected"] = _number(words.expected)
        return changes


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
