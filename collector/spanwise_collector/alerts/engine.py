"""Rounds of evaluating alert rules: read, judge, tell, remember.

Whatever is decided is decided by the stored data, the stored states and the tick alone; events, notifications and
states have names that follow from it. So a round may end anywhere and be begun again, by this evaluator or by another,
and people are told once (see `evaluate.ledger` for the order of writing).
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final, Protocol

from spanwise_collector.alerts.built_in import BUDGET
from spanwise_collector.alerts.claims import Store
from spanwise_collector.alerts.evaluate import evaluator_of, ledger
from spanwise_collector.alerts.evaluate.base import Evaluator, RuleError
from spanwise_collector.alerts.evaluate.data import RoundData
from spanwise_collector.alerts.evaluate.ending import end_all, end_expected
from spanwise_collector.alerts.evaluate.ledger import Known
from spanwise_collector.alerts.evaluate.trouble import troubled
from spanwise_collector.alerts.evaluate.walk import Standing, Surroundings, needs, walk
from spanwise_collector.alerts.evaluate.writing import Outbox, Writer
from spanwise_collector.alerts.evidence import Explain
from spanwise_collector.alerts.lifecycle import Life
from spanwise_collector.alerts.sentences import promise
from spanwise_collector.alerts.state import Acknowledgement, People, Restart, RuleBody, Silencing
from spanwise_collector.store.errors import StoreError, TransientStoreError
from spanwise_schemas.api_alerts import Alert
from spanwise_schemas.rules import Rule

log = logging.getLogger(__name__)

LAG_S: Final = 60
"""A tick is taken so long after its time: spans arrive when they end."""
FORMAT: Final = 1
"""Of what evaluators carry; another number makes every rule begin anew."""
GAP_S: Final = 6 * 3600
"""After so long without an evaluator people are told what is the matter now, not what was in between."""
_NOT_JUDGING: Final = {"name", "runbook", "labels", "channels", "severity", "enabled", "trusted_judge_only"}
"""What a rule may say otherwise and go on: it changes who is told, or what is held back, not what is measured."""


class RuleSource(Protocol):
    """Where rules come from."""

    def rules(self) -> Sequence[tuple[str, Rule]]:
        """All rules with their source ("file", "api", "built_in"), disabled ones included."""
        ...


@dataclass(slots=True)
class Round:
    """What a round did.

    Attributes:
        rules: that were evaluated.
        series: of these.
        errors: rules that could not be.
        happenings: changes of alerts.
        notices: that people are told.
        waiting: rules whose history is not read yet.
        seconds: it took.
    """

    rules: int = 0
    series: int = 0
    errors: int = 0
    happenings: int = 0
    notices: int = 0
    waiting: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    """A rule with ticks to take."""

    rule: Rule
    promise: str
    evaluator: Evaluator
    known: Known
    first: int
    last: int
    is_new: bool


@dataclass(slots=True)
class _Project:
    """A project's part of a round: its rules, what people have said, and where to write."""

    name: str
    rules: Sequence[tuple[str, Rule]]
    silences: Sequence[Silencing]
    restarts: Sequence[Restart]
    writer: Writer
    acknowledged: Mapping[int, Acknowledgement] = field(default_factory=dict)


class Engine:
    """Evaluates rules.

    Args:
        store: the database.
        rules: what to evaluate.
        people: what was said of alerts.
        outbox: takes notifications.
        explain: what changed, for an alert that fires; its failure is logged and the alert goes on.
        url: address of an alert's page.
        first_s: seconds of a round that may go to reading the history of new rules; one rule is read at least.
        clock: monotonic seconds.
        on_step: is told before each step that writes; what it raises stops there (for tests).
    """

    def __init__(
        self,
        store: Store,
        rules: RuleSource,
        people: People,
        outbox: Outbox,
        *,
        explain: Explain | None = None,
        url: Callable[[Alert], str] = lambda alert: f"/alerts?alert={alert.alert_id}",
        first_s: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        on_step: Callable[[str], object] = str,
    ) -> None:
        self._store = store
        self._rules = rules
        self._people = people
        self._outbox = outbox
        self._explain = explain
        self._url = url
        self._first_s = first_s
        self._clock = clock
        self._on_step = on_step

    def round(self, now: datetime) -> Round:
        """Take every tick that is due.

        Args:
            now: the time of day, UTC.

        Raises:
            TransientStoreError: the store is away; the next round goes on.
            StoreError: the states cannot be read or written.
        """
        began = self._clock()
        done = Round()
        by_project: dict[str, list[tuple[str, Rule]]] = {}
        for source, rule in self._rules.rules():
            by_project.setdefault(rule.project, []).append((source, rule))
        for name in sorted({*by_project, *self._projects()}):
            rules = [(source, rule) for source, rule in by_project.get(name, ()) if rule.enabled]
            writer = Writer(self._store, self._outbox, name, self._explain, self._url, self._on_step)
            project = _Project(name, rules, self._people.silences(name, now), self._people.restarts(name), writer)
            self._settle_open(project, now)
            self._evaluate(project, now, began, done)
            done.happenings += writer.events
            done.notices += writer.notices
        done.seconds = self._clock() - began
        return done

    def _projects(self) -> list[str]:
        return [str(row[0]) for row in self._store.query("SELECT DISTINCT project_id FROM alert_state").rows]

    def _settle_open(self, project: _Project, now: datetime) -> None:
        """End alerts of rules that are gone, and alerts that people called expected."""
        alive = {rule.id: rule for _, rule in project.rules}
        under_way = ledger.open_series(self._store, project.name)
        project.acknowledged = self._people.acknowledged(project.name, [alert for _, _, alert in under_way])
        wanted = {alert for alert, ack in project.acknowledged.items() if ack.expected}
        concerned = {rule_id for rule_id, _, alert in under_way if rule_id not in alive or alert in wanted}
        for rule_id, known in ledger.load(self._store, project.name, sorted(concerned)).items():
            if rule_id in alive:
                found = end_expected(known, project.acknowledged, now)
            else:
                found = end_all(known, now, "the rule is gone or switched off")
            project.writer.take(rule_id, alive.get(rule_id), known, found, {one.series for one in found})
        if concerned:
            project.writer.flush()

    def _evaluate(self, project: _Project, now: datetime, began: float, done: Round) -> None:
        jobs = self._jobs(project, now, done)
        data = RoundData(self._store)
        for job in jobs:
            if not job.is_new:
                data.plan(needs(job.evaluator, job.known.standing, job.first, job.last))
        for job in jobs:
            if not job.is_new:
                self._take(project, job, data, now, done)
        project.writer.flush()
        for number, job in enumerate(job for job in jobs if job.is_new):
            if number and self._clock() - began > self._first_s:
                done.waiting += 1
                continue
            # Its history is much; it does not stay in memory for the next one.
            own = RoundData(self._store)
            own.plan(needs(job.evaluator, job.known.standing, job.first, job.last))
            self._take(project, job, own, now, done)
            project.writer.flush()

    def _jobs(self, project: _Project, now: datetime, done: Round) -> list[_Job]:
        reached = ledger.evaluated(self._store, project.name)
        due: list[tuple[str, Rule, Evaluator, int]] = []
        for source, rule in project.rules:
            try:
                evaluator = evaluator_of(rule)
            except RuleError as error:
                self._fail(project, rule, str(error), now, done)
                continue
            last = (int(now.timestamp()) - LAG_S) // evaluator.step * evaluator.step
            if reached.get(rule.id, 0) < last:
                due.append((source, rule, evaluator, last))
        stored = ledger.load(self._store, project.name, [rule.id for _, rule, _, _ in due])
        oldest: int | None = None
        jobs = []
        for source, rule, evaluator, last in due:
            known = stored.get(rule.id) or Known(Standing(""))
            standing, key = known.standing, rule_key(rule)
            if standing.rule_key and standing.rule_key != key:
                self._begin_anew(project, rule, known, now)
                standing = known.standing
            is_new = not standing.evaluated_to
            standing.rule_key = key
            first = standing.evaluated_to + evaluator.step
            if is_new:
                oldest = self._oldest(project.name) if oldest is None else oldest
                first = _first(evaluator, oldest, last)
            words = promise(rule)
            if words and source == "built_in":
                words = promise(rule, all_built_in=BUDGET)
            jobs.append(_Job(rule, words, evaluator, known, first, last, is_new))
        return jobs

    def _oldest(self, project: str) -> int:
        """Start of the project's first hour with data, seconds since the epoch; far ahead where there is none."""
        rows = self._store.query(
            "SELECT toUnixTimestamp(min(time)), count() FROM signals_1h WHERE project_id = {p:String}",
            {"p": project},
        ).rows
        return int(rows[0][0]) if rows[0][1] else 1 << 40

    def _begin_anew(self, project: _Project, rule: Rule, known: Known, now: datetime) -> None:
        """The rule says something else now: what it said before ends."""
        found = end_all(known, now, "the rule was changed")
        if found:
            project.writer.take(rule.id, rule, known, found, {one.series for one in found})
            project.writer.flush()
        # Rows of its series stay, closed; what comes has higher versions.
        known.standing = Standing("", lives={series: Life() for series in known.standing.lives})
        known.body = RuleBody()

    def _take(self, project: _Project, job: _Job, data: RoundData, now: datetime, done: Round) -> None:
        rule, known = job.rule, job.known
        before = dict(known.standing.lives)
        restarts = [one for one in project.restarts if one.rule_id in ("", rule.id)]
        around = Surroundings(
            rule=rule,
            restarts=sorted(restarts, key=lambda one: one.decided_at),
            silences=project.silences,
            live_from=job.last if job.is_new or job.last - job.first > GAP_S else job.first,
            acknowledged=project.acknowledged,
            promise=job.promise,
            now=job.last,
        )
        try:
            found = list(walk(job.evaluator, known.standing, job.first, job.last, data, around))
        except TransientStoreError:
            raise
        except (RuleError, StoreError) as error:
            self._fail(project, rule, str(error), now, done)
            return
        except Exception as error:  # a fault of ours must not stop the other rules
            log.exception("rule %s of project %s", rule.id, project.name)
            self._fail(project, rule, f"{type(error).__name__}: {error}", now, done)
            return
        done.rules += 1
        done.series += known.standing.series
        if known.body.problem:
            over = troubled(rule, known.body, "", now)
            found = [*found, *([over] if over else [])]
            known.body.problem = ""
        changed = {key for key, life in known.standing.lives.items() if life != before.get(key)}
        project.writer.take(rule.id, rule, known, found, changed)

    def _fail(self, project: _Project, rule: Rule, problem: str, now: datetime, done: Round) -> None:
        """Note that a rule could not be evaluated; told when it lasts."""
        done.errors += 1
        known = ledger.load(self._store, project.name, [rule.id]).get(rule.id, Known(Standing("")))
        happening = troubled(rule, known.body, problem, now)
        if happening is None and known.body.problem == problem:
            return
        known.body.problem = problem
        log.warning("rule %s of project %s cannot be evaluated: %s", rule.id, project.name, problem)
        project.writer.take(rule.id, rule, known, [happening] if happening else [], set(), "error")


def _first(evaluator: Evaluator, oldest: int, last: int) -> int:
    """The first tick of a new rule: as far back as it looks and there is data, at most the last."""
    first = max(last - evaluator.history, oldest + evaluator.warmup)
    return max(min(-(-first // evaluator.step) * evaluator.step, last), evaluator.step)


def rule_key(rule: Rule) -> str:
    """The rule's id and a hash of what decides its verdicts."""
    said = rule.model_dump_json(exclude=_NOT_JUDGING)
    return f"{rule.id}@{blake2b(f'{FORMAT}:{said}'.encode(), digest_size=8).hexdigest()}"
