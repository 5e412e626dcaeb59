"""Running the evaluators of one span, and what they say as scores."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from spanwise._evals import Job
from spanwise._guard import describe, guard
from spanwise._runtime import Sink
from spanwise._scores import Score, attributes_of
from spanwise_schemas import attributes as names
from spanwise_schemas.score_ids import score_id

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from spanwise_evaluators.model import Evaluator, Sample, Verdict

logger: Final = logging.getLogger("spanwise")

# What may become of an evaluator's run.
SCORED: Final = "scored"
NOT_APPLICABLE: Final = "not_applicable"
SKIPPED: Final = "skipped"
FAILED: Final = "failed"

_NOT_CONTENT: Final = frozenset({"latency_ms", "cost_nanousd"})
_MAX_EXPLANATION: Final = 4_096
_MAX_REMEMBERED: Final = 256


class Scoring:
    """Runs evaluators and sends what they say. Used by one thread.

    Args:
        project: of the spans; a part of the scores' ids.
        sink: takes the scores.
        count: told what became of each run, and of how many.
    """

    def __init__(self, project: str, sink: Sink, count: Callable[[str, int], None]) -> None:
        self._project = project
        self._sink = sink
        self._count = count
        self._reported: set[str] = set()

    def run(self, job: Job) -> None:
        """Run the evaluators of one span; each is counted exactly once, whatever it does."""
        from spanwise._sample import sample_of

        try:
            sample = sample_of(job.span, job.retrieved)
        except Exception as error:
            self._count(FAILED, len(job.evaluators))
            guard.report("read a span for its evaluators", error)
            return
        for evaluator in job.evaluators:
            if job.is_complete or _reads_no_content(evaluator):
                self._count(self._outcome(evaluator, sample, job.span), 1)
            else:
                self._count(SKIPPED, 1)

    def _outcome(self, evaluator: "Evaluator", sample: "Sample", span: "ReadableSpan") -> str:
        try:
            verdict = evaluator(sample)
            if verdict is None:
                return NOT_APPLICABLE
            score = self._score(evaluator, verdict, span)
        except (Exception, SystemExit) as error:  # of a user's function; no error of it is a score
            self._report(str(evaluator.name), error)
            return FAILED
        self._sink.score(score)
        return SCORED

    def _score(self, evaluator: "Evaluator", verdict: "Verdict", span: "ReadableSpan") -> Score:
        context = span.get_span_context()
        assert context is not None
        trace_id, span_id = context.trace_id.to_bytes(16, "big"), context.span_id.to_bytes(8, "big")
        found = attributes_of(
            evaluator.name,
            verdict.label if verdict.value is None else verdict.value,
            label=verdict.label or None,
            explanation=verdict.explanation or None,
            source="code",
            limit=_MAX_EXPLANATION,
        )
        found[names.SCORE_EVALUATOR] = evaluator.name
        found[names.SCORE_EVALUATOR_VERSION] = evaluator.version
        found[names.SCORE_ID] = score_id(
            project=self._project,
            trace_id=trace_id.hex(),
            span_id=span_id.hex(),
            name=evaluator.name,
            evaluator=evaluator.name,
            version=evaluator.version,
        )
        # The time of what it is of: scored again, the score is the same.
        return Score(trace_id, span_id, span.end_time or 0, found)

    def _report(self, name: str, error: BaseException) -> None:
        if name in self._reported or len(self._reported) >= _MAX_REMEMBERED:
            return
        self._reported.add(name)
        logger.warning(
            "Evaluator %r failed (%s: %s). Spans for which it fails have no score of it; they are counted in"
            " spanwise.stats(), and this is said once.",
            name,
            type(error).__name__,
            describe(error),
        )


def _reads_no_content(evaluator: "Evaluator") -> bool:
    """Whether an evaluator says that it looks at time and cost alone, as those of the registry do."""
    reads: frozenset[str] | None = getattr(evaluator, "reads", None)
    return reads is not None and reads <= _NOT_CONTENT
