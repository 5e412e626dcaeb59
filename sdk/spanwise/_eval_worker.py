"""The thread that runs evaluators after spans have ended, never in the caller's."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from spanwise._evals import Job
from spanwise._gate import import_gate
from spanwise._guard import guard
from spanwise._queue import IntakeQueue
from spanwise._runtime import Sink
from spanwise._scoring import FAILED, NOT_APPLICABLE, SCORED, SKIPPED, Scoring
from spanwise._stats import EvalStats
from spanwise._tally import Tally

logger: Final = logging.getLogger("spanwise")

# Reasons of drops, as `stats` and docs/sdk.md name them.
QUEUE_FULL: Final = "queue_full"
EXIT: Final = "exit"
AFTER_SHUTDOWN: Final = "after_shutdown"
DROP_REASONS: Final = (QUEUE_FULL, EXIT, AFTER_SHUTDOWN)

MAX_QUEUE_BYTES: Final = 8_000_000
"""Of spans that wait for their evaluators, estimated."""
_DUE: Final = "due"
_SPAN_WEIGHT: Final = 3_000  # of a span object without its texts, as in `_pipeline`
_MODULE: Final = "spanwise._sample"
_POLL_S: Final = 0.005
_JOIN_S: Final = 0.2


class EvalWorker:
    """Scores spans on one thread, which starts with the first of them. A `spanwise._evals.Evaluation`.

    Counted are runs: one evaluator on one span. Always: due = scored + not_applicable + skipped + failed + dropped +
    queued.

    Args:
        project: of the spans.
        sink: takes the scores.
        keeps: whether the spans of a trace, told by its id, are sent at all.
        max_queue_bytes: of what waits, estimated.
    """

    def __init__(
        self,
        project: str,
        sink: Sink,
        *,
        keeps: Callable[[int], bool] = lambda _: True,
        max_queue_bytes: int = MAX_QUEUE_BYTES,
    ) -> None:
        # Two tallies: the application's threads never wait for the worker's counting.
        self._app = Tally()
        self._work = Tally()
        self._scoring = Scoring(project, sink, self._count)
        self._keeps = keeps
        self._jobs: IntakeQueue[Job] = IntakeQueue(max_queue_bytes)
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._given_up = False

    def submit(self, job: Job) -> None:
        """Put a span into the queue; drop it, counted, when there is no room."""
        if self._is_own_thread():
            return  # an evaluator is observed itself: were its spans scored too, there would be no end
        context = job.span.get_span_context()
        if context is None or not self._keeps(context.trace_id):
            return
        runs = len(job.evaluators)
        self._app.add(_DUE, runs)
        if self._closed:
            self._app.add(AFTER_SHUTDOWN, runs)
            return
        if self._thread is None:
            self._start()
        if not self._jobs.put(job, _weight(job), 0.0):
            self._app.add(QUEUE_FULL, runs)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._loop, name="spanwise-evals", daemon=True)
                thread.start()
                self._thread = thread

    def _is_own_thread(self) -> bool:
        return self._thread is not None and threading.get_ident() == self._thread.ident

    def _loop(self) -> None:
        import_gate.load(_MODULE)
        while not self._closed:
            self._jobs.wait(0.0)
            while not self._closed and (jobs := self._jobs.take(1, 1)):
                try:
                    self._scoring.run(jobs[0])
                except Exception as error:
                    guard.report("score a span", error)

    def _count(self, outcome: str, runs: int) -> None:
        # What is done after `close` has given it up was counted there.
        with self._lock:
            if not self._given_up:
                self._work.add(outcome, runs)

    def stats(self) -> EvalStats:
        """What became of every run so far."""
        app, work = self._app.as_dict(), self._work.as_dict()
        dropped = {reason: app[reason] for reason in DROP_REASONS if app.get(reason)}
        due = app.get(_DUE, 0)
        return EvalStats(
            due=due,
            scored=work.get(SCORED, 0),
            not_applicable=work.get(NOT_APPLICABLE, 0),
            skipped=work.get(SKIPPED, 0),
            failed=work.get(FAILED, 0),
            dropped=dropped,
            queued=max(0, due - sum(work.values()) - sum(dropped.values())),
        )

    def flush(self, timeout_s: float) -> bool:
        """Wait until every span so far is scored or dropped.

        Returns:
            False when the time was up before.
        """
        if self._thread is None or self._is_own_thread():
            return True
        target = self._app.get(_DUE)
        deadline = time.monotonic() + timeout_s
        while self._settled() < target:
            if self._closed or time.monotonic() >= deadline:
                return False
            # Polling, because this also runs in a signal handler; see `_queue`.
            time.sleep(_POLL_S)
        return True

    def _settled(self) -> int:
        return self._work.total() + sum(self._app.get(reason) for reason in DROP_REASONS)

    def close(self, timeout_s: float) -> None:
        """Flush, stop the thread, and count what is left as dropped. Safe to call again."""
        deadline = time.monotonic() + timeout_s
        self.flush(timeout_s)
        if self._closed:
            return
        self._closed = True
        thread = self._thread
        if thread is None:
            return
        self._jobs.wake()
        if not self._is_own_thread():
            thread.join(max(0.01, min(_JOIN_S, deadline - time.monotonic())))
        with self._lock:
            self._given_up = True
            left = self._app.get(_DUE) - self._settled()
            if left > 0:
                self._app.add(EXIT, left)
        if left > 0:
            logger.warning("%d evaluator runs were not done within %.1f s at exit and are dropped.", left, timeout_s)

    def abandon(self) -> None:
        """In a forked child: the thread and what is pending belong to the parent."""
        self._closed = True


def _weight(job: Job) -> int:
    weight = 0
    for span in (job.span, *job.retrieved):
        weight += _SPAN_WEIGHT
        for value in (span.attributes or {}).values():
            if type(value) is str:
                weight += len(value)
    return weight


class InlineEvaluation:
    """Scores spans at once, for tests, so that what they record is the same in every run.

    Args:
        project: of the spans.
        sink: takes the scores.
    """

    def __init__(self, project: str, sink: Sink) -> None:
        self._scoring = Scoring(project, sink, lambda outcome, runs: None)
        self._running = False

    def submit(self, job: Job) -> None:
        """Score a span, unless it is one of an evaluator."""
        if self._running:
            return
        self._running = True
        try:
            self._scoring.run(job)
        finally:
            self._running = False
