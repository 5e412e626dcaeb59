"""A batch of records to scores: read, choose, evaluate, judge. Judges work side by side, each with its own limit."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from math import isfinite

from spanwise_collector.evals import outcomes as said
from spanwise_collector.evals.calls import BudgetSpentError, Call, JudgeError
from spanwise_collector.evals.config import EvaluatorEntry, JudgeEntry
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.evals.panel import CodeRun, JudgeRun, PanelNow, chosen, seen_as
from spanwise_collector.evals.sampling import Chance, FirstSeen
from spanwise_collector.evals.scores_out import CallOut, ScoreOut
from spanwise_collector.evals.targets import Contexts, Target, targets_of
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer

log = logging.getLogger(__name__)


class Worker:
    """Makes scores of records. Thread-safe.

    Args:
        transformer: reads records as ingest does, with its masks.
        panel: who scores now.
        first_seen: of releases.
        outcomes: receives counts.
        random_bytes: ids of traces and spans, of a length.
    """

    def __init__(
        self,
        transformer: Transformer,
        panel: PanelNow,
        first_seen: FirstSeen,
        outcomes: Outcomes,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._transformer = transformer
        self._panel = panel
        self._first_seen = first_seen
        self._outcomes = outcomes
        self._random_bytes = random_bytes
        self._contexts = Contexts()
        self._lock = threading.Lock()

    def work(self, records: Sequence[Record], calls: list[CallOut]) -> list[ScoreOut]:
        """Scores for what is in some records of one partition.

        Args:
            records: in order of offset.
            calls: receives the calls of judges, also where this raises.

        Raises:
            StoreError: the store does not answer; done again, verdicts that are known cost nothing.
            StoppedError: the collector stops.
        """
        panel = self._panel()
        if not panel.evaluators and not panel.judges:
            return []
        with self._lock:
            batch = self._transformer.transform(records, frozenset())
            targets = targets_of(batch, self._contexts, panel.is_wanted)
        judging: list[Future[list[ScoreOut]]] = []
        try:
            for run in panel.judges:
                for seen, chance in self._chosen(targets, run.entry, run.entry.name):
                    judging.append(run.pool.submit(self._judge, run, seen, chance, calls))
            scores = [
                score
                for code in panel.evaluators
                for seen, chance in self._chosen(targets, code.entry, code.evaluator.name)
                for score in self._evaluate(code, seen, chance)
            ]
            return [*scores, *(score for future in judging for score in future.result())]
        except BaseException:
            _give_up(judging)
            raise

    def _chosen(
        self, targets: Sequence[Target], entry: EvaluatorEntry | JudgeEntry, salt: str
    ) -> Iterator[tuple[Target, Chance]]:
        for target in targets:
            seen = seen_as(target, entry)
            chance = chosen(seen, entry, salt, self._first_seen)
            if chance is not None:
                yield seen, chance

    def _evaluate(self, run: CodeRun, target: Target, chance: Chance) -> list[ScoreOut]:
        evaluator = run.evaluator
        try:
            verdict = evaluator(target.sample)
            if verdict is not None and verdict.value is not None and not isfinite(verdict.value):
                raise ValueError(f"{verdict.value} is no score")
        except Exception as error:  # a user's code: whatever it raises, the others go on
            log.exception("the evaluator %s failed", evaluator.name)
            self._outcomes.count(
                target.project,
                evaluator.name,
                f"{said.ERROR}evaluator_failed",
                message=f"{type(error).__name__}: {error}",
            )
            return []
        if verdict is None:
            return []
        self._outcomes.count(target.project, evaluator.name, said.SCORED)
        return [ScoreOut(target, evaluator.name, evaluator.name, evaluator.version, verdict, chance, source="code")]

    def _judge(self, run: JudgeRun, target: Target, chance: Chance, calls: list[CallOut]) -> list[ScoreOut]:
        entry, judge = run.entry, run.judge
        trace_id = self._random_bytes(16)

        def count(outcome: str, n: int = 1, message: str = "", cost_n: int = 0) -> None:
            self._outcomes.count(target.project, entry.name, outcome, n, cost_n=cost_n, message=message)

        def keep(made: Sequence[Call]) -> int:
            calls.extend(
                CallOut(
                    entry.traced_in,
                    entry.name,
                    judge.version,
                    entry.provider,
                    entry.model,
                    call,
                    trace_id,
                    self._random_bytes(8),
                    target.trace_id.hex(),
                    target.span_id.hex(),
                )
                for call in made
            )
            overcharged = sum(call.cost_n > call.held_n for call in made)
            if overcharged:
                count(said.OVERCHARGED, overcharged, "the endpoint charged for more tokens than it was allowed")
            return sum(call.cost_n for call in made)

        try:
            found = judge.judge(target.sample)
        except JudgeError as error:
            count(f"{said.ERROR}{error.kind}", message=str(error), cost_n=keep(error.calls))
            return []
        except BudgetSpentError as error:
            count(said.OVER_BUDGET, message=str(error), cost_n=keep(error.calls))
            return []
        if found is None:
            return []
        count(said.SCORED if found.calls else said.CACHED, cost_n=keep(found.calls))
        if found.disagreed:
            count(said.DISAGREED, len(found.disagreed))
        return [
            ScoreOut(target, name, entry.name, judge.version, verdict, chance, source="llm")
            for name, verdict in found.verdicts.items()
        ]


def _give_up(judging: Sequence[Future[list[ScoreOut]]]) -> None:
    """Start no more of them, and wait for those that have begun: their calls are paid for and to be told of."""
    for future in judging:
        future.cancel()
    wait([future for future in judging if not future.cancelled()])
