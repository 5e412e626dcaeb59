"""Working on jobs that score history: a few seconds of each per round, slice by slice, in order of time.

A job's position is stored after slices, and a slice is inserted under a token made of evaluator, version and its
bounds. A crash in between does a slice twice at most, and the second time stores nothing. Where the bounds differ by
then, since spans have come in, the same scores replace themselves: their ids follow from what is scored and by what.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from spanwise_collector.periodic import MORE
from spanwise_collector.sql_evals.checking import message_of
from spanwise_collector.sql_evals.definitions import Definition, Definitions, Store
from spanwise_collector.sql_evals.jobs import Job, Jobs
from spanwise_collector.sql_evals.lexer import ExpressionError
from spanwise_collector.sql_evals.running import TooHeavyError, score_slice
from spanwise_collector.sql_evals.scoring import Part, Scorer
from spanwise_collector.sql_evals.slices import Slice, plan
from spanwise_collector.store.errors import StoreError, TransientStoreError

TURN_S: Final = 5.0
"""So long a job is worked on before it is the next one's turn."""
REPORT_S: Final = 1.0
"""So often its position is stored, and people's wish to cancel looked at."""
TRIES: Final = 3


class Backfiller:
    """Works on the open jobs.

    Args:
        store: the database.
        definitions: of the evaluators.
        jobs: what is wanted.
        clock: monotonic seconds.
    """

    def __init__(self, store: Store, definitions: Definitions, jobs: Jobs, *, clock: Callable[[], float]) -> None:
        self._store = store
        self._definitions = definitions
        self._jobs = jobs
        self._clock = clock
        self._plans: dict[str, deque[Slice]] = {}

    def step(self) -> Mapping[str, int]:
        """A turn for each open job.

        Raises:
            TransientStoreError: the store is away; the next round goes on.
        """
        done = {"backfilled": 0, MORE: 0}
        still_open: set[str] = set()
        for job in self._jobs.open():
            after = self._turn(job)
            done["backfilled"] += after.outcome.scored - job.outcome.scored
            if not after.is_over:
                still_open.add(job.id)
                # What failed waits for the next round.
                done[MORE] |= int(not after.tries)
        self._plans = {job_id: slices for job_id, slices in self._plans.items() if job_id in still_open}
        return done

    def _turn(self, job: Job) -> Job:
        definition = self._definition(job)
        if definition is None:
            return self._told(replace(job, state="cancelled", reason="The evaluator was removed."))
        try:
            scorer = Scorer.of(definition.expression, definition.filter, definition.kind)
        except ExpressionError as error:
            return self._told(replace(job, state="failed", reason=str(error)))
        began = said = self._clock()
        job = self._planned(job)
        slices = self._plans[job.id]
        while slices and self._clock() - began < TURN_S:
            job = self._slice(job, definition, scorer, slices, took_from=self._clock())
            if job.is_over or job.tries:
                return self._told(job)
            if self._clock() - said >= REPORT_S:
                job, said = self._told(job), self._clock()
                now = self._jobs.get(job.project, job.id)
                if now is None or now.is_over:
                    return now or job
        return self._told(job if slices else replace(job, state="done", done_us=job.end_us))

    def _slice(
        self, job: Job, definition: Definition, scorer: Scorer, slices: deque[Slice], *, took_from: float
    ) -> Job:
        now = slices[0]
        part = Part(job.project, now.start, now.end)
        try:
            outcome = score_slice(self._store, definition, scorer, part, f"{now.start}-{now.end}")
        except TooHeavyError as error:
            halves = now.halves()
            if halves:
                slices.popleft()
                slices.extendleft(reversed(halves))
                return job
            return _failed(job, error)
        except TransientStoreError:
            raise
        except StoreError as error:
            return _failed(job, error)
        slices.popleft()
        return replace(
            job,
            done_us=now.end,
            done=job.done + now.spans,
            tries=0,
            reason="",
            seconds=round(job.seconds + self._clock() - took_from, 3),
            outcome=job.outcome.plus(outcome),
        )

    def _planned(self, job: Job) -> Job:
        if job.id in self._plans:
            return job
        slices = plan(self._store, job.project, max(job.start_us, job.done_us), job.end_us)
        self._plans[job.id] = deque(slices)
        return replace(job, state="running", planned=job.done + sum(one.spans for one in slices))

    def _definition(self, job: Job) -> Definition | None:
        if self._definitions.get(job.project, job.name) is None:
            return None
        versions = self._definitions.versions(job.project, job.name)
        return next((one for one in versions if one.version == job.version), None)

    def _told(self, job: Job) -> Job:
        self._jobs.report(job)
        return job


def _failed(job: Job, error: StoreError) -> Job:
    tries = job.tries + 1
    state = "failed" if tries >= TRIES else job.state
    return replace(job, tries=tries, state=state, reason=message_of(error))
