"""New spans are scored as they are stored: each once, late ones too, and no evaluator harms another."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spanwise_collector.sql_evals.live import FIRST_WAIT_MS, TRIES
from spanwise_collector.sql_evals.runner import sql_evals_runner
from spanwise_collector.sql_evals.scoring import Outcome
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError, TransientStoreError
from tests.support.rows import Span, llm
from tests.support.sql_evals import Parts, arrived, scores, stored_rows

DAY_MS = 86_400_000.0


def spans(*numbers: int, at_ms: float = 0.0, **values: object) -> list[Span]:
    """Model calls with these numbers."""
    return [llm(trace=number, span=number, at_ms=at_ms + number, output="a " * number, **values) for number in numbers]


def test_new_spans_are_scored_once_late_ones_too(database: Database) -> None:
    """What was stored before the evaluator is left to a job; what is stored after it is scored however old it is."""
    parts = Parts(database)
    arrived(database, spans(1), first=0, stored=parts.now - timedelta(hours=1))
    parts.add("words", "length(splitByWhitespace(output))", "kind = 'llm'")
    live = parts.live()

    assert live.step() == {"scored": 0, "failed": 0, "more": 0}
    parts.now += timedelta(seconds=5)
    arrived(database, [*spans(2), Span(trace=3, span=3, kind="tool")], first=1, stored=parts.now)
    assert live.step()["scored"] == 1
    parts.now += timedelta(seconds=5)
    arrived(database, spans(4, at_ms=-9 * DAY_MS), first=3, stored=parts.now)
    assert live.step()["scored"] == 1
    assert live.step()["scored"] == 0

    assert scores(database, "hex(span_id), value") == [("0000000000000002", 2.0), ("0000000000000004", 4.0)]
    owned = parts.definitions.get("default", "words")
    assert owned is not None
    assert (owned.progress.state, owned.progress.outcome) == ("ok", Outcome(spans=2, scored=2, mean=3.0))


def test_a_collector_that_starts_goes_on_and_stores_nothing_twice(database: Database) -> None:
    """The last minute is looked at again, under the same tokens; what came in between is scored."""
    parts = Parts(database)
    parts.add("words", "length(splitByWhitespace(output))")
    parts.now += timedelta(minutes=10)
    arrived(database, spans(1, 2), first=0, stored=parts.now)
    parts.live().step()
    parts.now += timedelta(seconds=5)
    parts.live().step()
    assert stored_rows(database) == 2
    arrived(database, spans(3), first=2, stored=parts.now)
    parts.live().step()

    assert scores(database, "count(), sum(value)") == [(3, 6.0)]


def test_another_version_goes_on_where_the_first_was(database: Database) -> None:
    """No span between the two is left out, and none has both."""
    parts = Parts(database)
    parts.add("d", "duration_ms")
    live = parts.live()
    parts.now += timedelta(minutes=5)
    arrived(database, spans(1), first=0, stored=parts.now)
    live.step()
    parts.now += timedelta(minutes=5)
    arrived(database, spans(2), first=1, stored=parts.now)
    parts.add("d", "duration_ms + 1")
    live.step()

    assert scores(database, "hex(span_id), evaluator_version, value") == [
        ("0000000000000001", "1", 100.0),
        ("0000000000000002", "2", 101.0),
    ]


def test_off_is_off_and_projects_are_apart(database: Database) -> None:
    """What is turned off or removed scores nothing; a project's evaluator never sees another's spans."""
    parts = Parts(database)
    for name in ("on", "off", "gone"):
        parts.add(name, "duration_ms")
    parts.add("on", "duration_ms", project="other")
    parts.definitions.switch("default", "off", "off", "me")
    parts.definitions.switch("default", "gone", "removed", "me")
    parts.now += timedelta(minutes=5)
    arrived(database, [*spans(1), *spans(2, project="other")], first=0, stored=parts.now)
    parts.live().step()

    assert scores(database, "project_id, name, hex(span_id)") == [
        ("default", "on", "0000000000000001"),
        ("other", "on", "0000000000000002"),
    ]
    parts.definitions.switch("default", "off", "on", "me")
    parts.live().step()
    assert scores(database, "count()", "name = 'off'") == [(1,)]


class FailsFor:
    """A database that fails one evaluator, known by a word of its expression."""

    def __init__(self, database: Database, word: str, error: StoreError) -> None:
        self._database = database
        self._word = word
        self._error = error

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def query_arrow(self, sql: str, *args: object, **kwargs: object) -> object:
        """Fail where spans are scored by it."""
        if self._word in sql:
            raise self._error
        return self._database.query_arrow(sql, *args, **kwargs)  # type: ignore[arg-type]


BAD = StoreError("Code: 241. DB::Exception: Memory limit exceeded: while executing 'FUNCTION x'. (MEMORY)", code=307)


def test_an_evaluator_that_fails_is_tried_again_and_then_off(database: Database) -> None:
    """Five times with growing waits; its reason is told, the others go on, and turned on again it catches up."""
    parts = Parts(database)
    parts.add("bad", "sqrt(duration_ms)")
    parts.add("good", "duration_ms")
    parts.now += timedelta(minutes=5)
    arrived(database, spans(1), first=0, stored=parts.now)
    live = Parts(FailsFor(database, "sqrt", BAD))  # type: ignore[arg-type]
    rounds = live.live()
    failed = []
    for attempt in range(TRIES):
        live.now = parts.now
        failed.append(rounds.step()["failed"])
        assert rounds.step()["failed"] == 0  # not yet due
        parts.now += timedelta(milliseconds=FIRST_WAIT_MS * 2**attempt)
    live.now = parts.now + timedelta(days=1)
    owned = parts.definitions.get("default", "bad")

    assert failed == [1] * TRIES
    assert rounds.step()["failed"] == 0
    assert owned is not None
    assert (owned.progress.state, owned.progress.reason) == ("failed", "Memory limit exceeded (MEMORY)")
    assert (owned.has_failed, owned.is_live) == (True, False)
    assert scores(database, "name") == [("good",)]

    parts.now += timedelta(days=2)
    parts.definitions.switch("default", "bad", "on", "me")
    parts.live().step()
    after = parts.definitions.get("default", "bad")
    assert after is not None
    assert (after.progress.state, after.progress.reason, after.is_live) == ("ok", "", True)
    assert scores(database, "name") == [("bad",), ("good",)]


def test_a_store_that_is_away_is_no_fault_of_an_evaluator(database: Database) -> None:
    """The round ends, and the next one scores everything."""
    parts = Parts(database)
    parts.add("d", "duration_ms")
    parts.now += timedelta(minutes=5)
    arrived(database, spans(1), first=0, stored=parts.now)
    away = Parts(FailsFor(database, "", TransientStoreError("away")), now=parts.now)  # type: ignore[arg-type]
    with pytest.raises(TransientStoreError):
        away.live().step()

    assert parts.live().step()["scored"] == 1


def test_a_definition_that_is_not_admitted_any_more_fails_with_its_reason(database: Database) -> None:
    """A newer version of Spanwise may know less; it says so and goes on."""
    parts = Parts(database)
    parts.definitions.add(
        "default", "old", expression="sleep(1)", condition="", description="", kind="numeric", by="me"
    )
    parts.now += timedelta(minutes=5)
    arrived(database, spans(1), first=0, stored=parts.now)

    assert parts.live().step() == {"scored": 0, "failed": 1, "more": 0}
    owned = parts.definitions.get("default", "old")
    assert owned is not None
    assert owned.progress.reason.startswith("At position 1: The function sleep is not admitted.")


def test_versions_rise_and_stay(database: Database) -> None:
    """The same text adds none; after a removal the numbers go on; of two that add at once each has a number."""
    parts = Parts(database)
    first = parts.add("e", "duration_ms")
    again = parts.add("e", "duration_ms")
    second = parts.add("e", "duration_ms * 2")
    parts.definitions.switch("default", "e", "removed", "me")
    assert parts.definitions.get("default", "e") is None
    third = parts.add("e", "duration_ms")
    elsewhere = parts.add("e", "duration_ms", project="other")

    assert [one.version for one in (first, again, second, third, elsewhere)] == [1, 1, 2, 3, 1]
    assert [(one.version, one.expression) for one in parts.definitions.versions("default", "e")] == [
        (3, "duration_ms"),
        (2, "duration_ms * 2"),
        (1, "duration_ms"),
    ]

    class Blind(Parts):
        """Believes that there is no version yet, as one that looked at the same moment."""

    late = Blind(database, ids=lambda: "late").definitions
    raced = late._added("default", "e", 0, "duration_ms * 3", "", "", "numeric", "me")
    assert raced == replace(raced, version=4)


def test_the_thread_scores_both_what_is_new_and_history(database: Database) -> None:
    """One round does a turn of each, where this collector is the one."""
    parts = Parts(database)
    arrived(database, spans(1), first=0, stored=parts.now - timedelta(hours=1))
    definition = parts.add("d", "duration_ms")
    parts.jobs.start(definition, 0, 4_000_000_000_000_000, "me")
    parts.now += timedelta(minutes=5)
    arrived(database, spans(2), first=1, stored=parts.now)
    leads = [False, True, True]
    runner = sql_evals_runner(parts.live(), parts.backfiller(), is_leader=lambda: leads.pop(0), interval_s=5.0)
    runner.round()
    assert stored_rows(database) == 0
    runner.round()

    assert (runner.counts["scored"], runner.counts["backfilled"], runner.counts["failures"]) == (1, 2, 0)
    assert scores(database, "count()") == [(2,)]
