"""Who scores what, as the evals file says it: evaluators and judges with their filters, ready to run."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from spanwise_collector.evals.config import EvaluatorEntry, JudgeEntry, fits
from spanwise_collector.evals.judge import Judge
from spanwise_collector.evals.sampling import Chance, FirstSeen, chance_of, is_chosen
from spanwise_collector.evals.scores_out import SCOPE
from spanwise_collector.evals.targets import Target
from spanwise_evaluators.model import Evaluator


@dataclass(frozen=True, slots=True)
class CodeRun:
    """An evaluator without a model, at work.

    Attributes:
        entry: how it is configured.
        evaluator: itself.
    """

    entry: EvaluatorEntry
    evaluator: Evaluator


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """A judge at work.

    Attributes:
        entry: how it is configured.
        judge: itself.
        pool: as many threads as it may make calls at once.
    """

    entry: JudgeEntry
    judge: Judge
    pool: ThreadPoolExecutor


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything that scores.

    Attributes:
        evaluators: without a model.
        judges: with one.
        judge_projects: where judges' calls are traced, of this and of earlier versions of the file.
    """

    evaluators: Sequence[CodeRun] = ()
    judges: Sequence[JudgeRun] = ()
    judge_projects: frozenset[str] = frozenset()

    def is_wanted(self, project: str, scope: str) -> bool:
        """Whether anything looks at spans of a project and an instrumentation scope; judges' own calls nobody does."""
        if scope == SCOPE or project in self.judge_projects:
            return False
        return any(run.entry.project == project for run in self.evaluators) or any(
            run.entry.project == project for run in self.judges
        )


def chosen(target: Target, entry: EvaluatorEntry | JudgeEntry, salt: str, first_seen: FirstSeen) -> Chance | None:
    """With which probability a target is scored; None where the entry does not look at it, or it is not in the sample.

    Args:
        target: a span; the trace that it is the root of where traces are scored.
        entry: who asks.
        salt: of the sample, where the entry has none of its own.
        first_seen: of releases.
    """
    where = entry.where
    if (
        entry.project != target.project
        or (entry.target == "trace" and not target.is_root)
        or not fits(target.kind, where.kind)
        or not fits(target.name, where.name)
        or not fits(target.environment, where.environment)
        or not fits(target.release, where.release)
    ):
        return None
    chance = chance_of(target, entry.sample, entry.strata, first_seen)
    return chance if is_chosen(target.id, entry.salt or salt, chance.probability) else None


def seen_as(target: Target, entry: EvaluatorEntry | JudgeEntry) -> Target:
    """The target as an entry sees it: the span, or its trace."""
    return target.as_trace() if entry.target == "trace" and target.is_root else target


PanelNow = Callable[[], Panel]
