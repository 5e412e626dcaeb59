"""Scoring history: planned in slices, gone on with, cancelled, and given up with its reason."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.query.window import HOUR, MINUTE
from spanwise_collector.sql_evals import backfill as backfill_module
from spanwise_collector.sql_evals.jobs import BusyError, Job
from spanwise_collector.sql_evals.scoring import Outcome
from spanwise_collector.sql_evals.slices import DAY, MAX_BYTES, MAX_SPANS, Slice, cut
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError, TransientStoreError
from tests.support.rows import Span, insert, llm
from tests.support.sql_evals import Parts, scores, stored_rows

FAR = 4_000_000_000_000_000
HOUR_MS = 3_600_000.0
DAYS = 3


def history(database: Database, project: str = "default") -> None:
    """Two spans on each of three days, a day apart."""
    spans = [
        llm(trace=day * 10 + number, span=day * 10 + number, at_ms=-day * 24 * HOUR_MS + number, output="a " * number)
        for day in range(DAYS)
        for number in (1, 2)
    ]
    insert(database, [replace(span, project=project) for span in spans])


def worked(parts: Parts, job: Job) -> Job:
    """The job once a collector has done what it can."""
    worker = parts.backfiller()
    while worker.step()["more"]:
        pass
    found = parts.jobs.get(job.project, job.id)
    assert found is not None
    return found


def test_all_history_is_scored_in_slices(database: Database) -> None:
    """A slice per day at least; the position and what became of the spans are told."""
    history(database)
    history(database, "other")
    parts = Parts(database)
    definition = parts.add("words", "length(splitByWhitespace(output))")
    job = parts.jobs.start(definition, 0, FAR, "me")

    assert (job.state, job.progress, parts.jobs.get("default", job.id)) == ("waiting", 0.0, job)
    done = worked(parts, job)

    assert (done.state, done.progress, done.planned, done.done) == ("done", 1.0, 6, 6)
    assert done.outcome == Outcome(spans=6, scored=6, mean=1.5)
    assert scores(database, "project_id, count(), sum(value)", "1 GROUP BY 1") == [("default", 6, 9.0)]
    assert parts.jobs.open() == []


def test_a_range_is_a_range(database: Database) -> None:
    """From inside, to outside, also within an hour."""
    history(database)
    parts = Parts(database)
    definition = parts.add("d", "duration_ms")
    second = int(llm(trace=1, span=1, at_ms=2).start.timestamp() * 1e6)

    assert worked(parts, parts.jobs.start(definition, second, second + 1, "me")).outcome.scored == 1
    assert worked(parts, parts.jobs.start(definition, second + 1, FAR, "me")).outcome.scored == 0


def test_a_job_goes_on_where_another_collector_was(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a crash left undone is done, what was done is not done again; each span has one row."""
    history(database)
    parts = Parts(database)
    job = parts.jobs.start(parts.add("d", "duration_ms"), 0, FAR, "me")
    first = parts.backfiller(clock=ticking(4.0))
    monkeypatch.setattr(backfill_module, "REPORT_S", 0.0)

    first.step()
    half = parts.jobs.get("default", job.id)
    assert half is not None
    assert (half.state, half.done, half.planned, stored_rows(database)) == ("running", 2, 6, 2)
    done = worked(parts, job)

    assert (done.state, done.done, done.planned, done.outcome.scored, stored_rows(database)) == ("done", 6, 6, 6, 6)


def ticking(step: float) -> Callable[[], float]:
    """A clock on which each look takes so long."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += step
        return now

    return clock


class LosesAnswers:
    """A database whose first report of a job's position is lost, as in a crash."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.lost = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def insert(self, table: str, rows: object, *, token: str, one_shard: bool = False) -> None:
        """Lose positions of jobs."""
        if table == "sql_backfills" and ":collector:" in token and not self.lost:
            self.lost += 1
            raise TransientStoreError("gone")
        self._database.insert(table, rows, token=token, one_shard=one_shard)


def test_a_slice_whose_position_was_lost_is_recognised(database: Database) -> None:
    """It is done again under the same token, and stores nothing."""
    history(database)
    parts = Parts(database)
    job = parts.jobs.start(parts.add("d", "duration_ms"), 0, FAR, "me")
    losing = LosesAnswers(database)
    with pytest.raises(TransientStoreError):
        Parts(losing).backfiller().step()  # type: ignore[arg-type]

    assert (losing.lost, stored_rows(database)) == (1, 6)
    assert worked(parts, job).state == "done"
    assert stored_rows(database) == 6


def test_people_cancel(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it began, or in the middle: what was scored stays, nothing more comes."""
    history(database)
    parts = Parts(database)
    definition = parts.add("d", "duration_ms")
    never = parts.jobs.start(definition, 0, FAR, "me")
    cancelled = parts.jobs.cancel("default", never.id)
    assert cancelled is not None
    assert (cancelled.state, worked(parts, never).state, stored_rows(database)) == ("cancelled", "cancelled", 0)

    monkeypatch.setattr(backfill_module, "REPORT_S", 0.0)
    middle = parts.jobs.start(definition, 0, FAR, "me")
    worker = parts.backfiller(clock=ticking(4.0))
    worker.step()
    parts.jobs.cancel("default", middle.id)

    assert (worker.step()["more"], worked(parts, middle).state, stored_rows(database)) == (0, "cancelled", 2)
    assert parts.jobs.cancel("default", "unknown") is None
    assert parts.jobs.cancel("other", middle.id) is None


def test_one_job_per_version_and_none_of_what_was_removed(database: Database) -> None:
    """A second start is refused while the first is open; removing the evaluator ends its job."""
    history(database)
    parts = Parts(database)
    definition = parts.add("d", "duration_ms")
    job = parts.jobs.start(definition, 0, FAR, "me")
    with pytest.raises(BusyError, match="wait for it, or cancel it"):
        parts.jobs.start(definition, 0, FAR, "me")
    other = parts.jobs.start(parts.add("d", "duration_ms + 1"), 0, FAR, "me")
    parts.definitions.switch("default", "d", "removed", "me")

    assert [worked(parts, one).state for one in (job, other)] == ["cancelled"] * 2
    assert worked(parts, job).reason == "The evaluator was removed."
    assert stored_rows(database) == 0


class Fails:
    """A database whose queries of an expression fail."""

    def __init__(self, database: Database, error: StoreError) -> None:
        self._database = database
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def query_arrow(self, sql: str, *args: object, **kwargs: object) -> object:
        """Fail where spans are scored."""
        raise self._error


def test_what_fails_is_tried_three_times(database: Database) -> None:
    """Then the job has failed, with the engine's words; evaluators that work are not held up."""
    history(database)
    parts = Parts(database)
    job = parts.jobs.start(parts.add("d", "duration_ms"), 0, FAR, "me")
    bad = StoreError("Code: 43. DB::Exception: No such thing: In scope SELECT 1. (ILLEGAL)", code=43)
    worker = Parts(Fails(database, bad)).backfiller()  # type: ignore[arg-type]
    states = []
    for _ in range(3):
        assert worker.step()["more"] == 0
        found = parts.jobs.get("default", job.id)
        assert found is not None
        states.append((found.state, found.reason))

    assert states == [
        ("running", "No such thing (ILLEGAL)"),
        ("running", "No such thing (ILLEGAL)"),
        ("failed", "No such thing (ILLEGAL)"),
    ]
    assert stored_rows(database) == 0


def test_a_store_that_is_away_is_nobody_s_fault(database: Database) -> None:
    """The round ends, and the job stands as it was."""
    history(database)
    parts = Parts(database)
    job = parts.jobs.start(parts.add("d", "duration_ms"), 0, FAR, "me")
    with pytest.raises(TransientStoreError):
        Parts(Fails(database, TransientStoreError("away"))).backfiller().step()  # type: ignore[arg-type]

    assert worked(parts, job).state == "done"


def test_a_slice_that_is_too_heavy_is_halved(database: Database) -> None:
    """Down to a minute; what is too heavy then has failed."""
    insert(database, [Span(trace=1, span=number, at_ms=number * 60_000) for number in range(1, 5)])
    parts = Parts(database)
    job = parts.jobs.start(parts.add("d", "duration_ms"), 0, FAR, "me")
    heavy = StoreError("Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)", code=159)

    class Slow(Fails):
        def query_arrow(self, sql: str, *args: object, **kwargs: object) -> object:
            (within,) = args
            assert isinstance(within, dict)
            if within["to"] - within["from"] > MINUTE:
                raise TransientStoreError(str(self._error), code=159)
            return self._database.query_arrow(sql, *args, **kwargs)  # type: ignore[arg-type]

    worker = Parts(Slow(database, heavy)).backfiller()  # type: ignore[arg-type]
    while worker.step()["more"]:
        pass
    done = parts.jobs.get("default", job.id)

    assert done is not None
    assert (done.state, done.outcome.scored, stored_rows(database)) == ("done", 4, 4)


HOURS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 3 * MAX_SPANS), st.integers(0, 3 * MAX_BYTES)),
    unique_by=lambda one: one[0],
    max_size=40,
).map(lambda hours: [(hour * HOUR, spans, size) for hour, spans, size in sorted(hours)])


@given(hours=HOURS, start=st.integers(0, 200 * HOUR), length=st.integers(1, 200 * HOUR))
def test_slices_cover_every_hour_once(hours: list[tuple[int, int, int]], start: int, length: int) -> None:
    """In order, within the range, within one day, and none larger than it may be, unless a minute is."""
    found = cut(hours, start, start + length)

    assert all(one.start < one.end for one in found)
    assert all(one.end <= after.start for one, after in pairwise(found))
    assert all(one.start // DAY == (one.end - 1) // DAY for one in found)
    for hour, *_ in hours:
        wanted = max(0, min(hour + HOUR, start + length) - max(hour, start))
        covered = sum(max(0, min(one.end, hour + HOUR) - max(one.start, hour)) for one in found)
        assert covered == wanted
    assert all(one.spans <= MAX_SPANS * 1.05 for one in found)


def test_halves_are_whole_minutes() -> None:
    """A slice of a minute has none."""
    assert Slice(0, 3 * MINUTE, 9).halves() == (Slice(0, MINUTE, 4), Slice(MINUTE, 3 * MINUTE, 5))
    assert Slice(0, MINUTE, 9).halves() == ()
