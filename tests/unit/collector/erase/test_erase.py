"""What was erased is gone from every table, as if it had never come, and the rest is as it was."""

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from spanwise_collector.erase.tables import OF_SPANS, REMOVED
from spanwise_collector.store.database import Database
from tests.support.databases import EmptyDatabases
from tests.support.erasing import AT_MS, BOOKKEEPING, NOW, asked, contents, eraser, keeper, store, traces_of
from tests.support.rows import Span, insert, llm, trace_id

DAY_MS: Final = 86_400_000
SPANS: Final = (
    llm(trace=1, span=1, user="u", session="s", at_ms=AT_MS, input="my name is Ann", output="hello Ann", ttft_ms=9),
    Span(trace=1, span=2, parent=1, kind="tool", at_ms=AT_MS + 50, tool="search", failure=("tool", "x", "Ann", 1)),
    llm(trace=2, span=3, user="v", at_ms=AT_MS + 70_000, input="what is new", took_ms=900, cost=None),
    llm(trace=3, span=4, user="u", at_ms=AT_MS - DAY_MS, input="Ann again", env="test", cached=(5, 0)),
    llm(trace=4, span=5, user="w", at_ms=AT_MS - DAY_MS + 10, input="good morning", env="test"),
    Span(trace=5, span=6, user="u", at_ms=AT_MS, project="other", input="Ann elsewhere"),
)
ONE_SPAN: Final = st.builds(
    Span,
    trace=st.integers(1, 5),
    span=st.integers(1, 10_000),
    parent=st.sampled_from([0, 1]),
    at_ms=st.sampled_from([0, 100, 61_000, 3_700_000, -DAY_MS]).map(lambda ms: ms + AT_MS),
    took_ms=st.sampled_from([1.0, 40.0, 2_000.0]),
    project=st.sampled_from(["default", "default", "other"]),
    name=st.sampled_from(["ask", "find"]),
    kind=st.sampled_from(["llm", "tool", "other"]),
    status=st.sampled_from(["ok", "error"]),
    user=st.sampled_from(["", "u", "v"]),
    session=st.sampled_from(["", "s", "t"]),
    model=st.sampled_from(["", "m-1"]),
    tokens=st.sampled_from([(0, 0), (100, 20)]),
    counts=st.booleans(),
    cost=st.sampled_from([None, 5_000]),
    input=st.sampled_from(["", "hello"]),
)
WHAT: Final = st.sampled_from([("user", "u"), ("session", "s"), ("trace", trace_id(1).hex())])


def without(spans: Any, kind: str, value: str) -> list[Span]:
    """Those that an erasure in the project `default` leaves."""
    gone = traces_of(spans, kind, value)
    return [span for span in spans if span.project != "default" or span.trace not in gone]


def test_as_if_it_had_never_come(empty_databases: EmptyDatabases) -> None:
    """Whatever is stored: after the erasure every table says what it says where the erased never came."""

    @given(st.lists(ONE_SPAN, min_size=1, max_size=12, unique_by=lambda span: span.span), WHAT)
    @settings(max_examples=4, phases=[Phase.explicit, Phase.generate])
    def holds(spans: list[Span], what: tuple[str, str]) -> None:
        with empty_databases.lend() as erased, empty_databases.lend() as clean:
            store(erased, spans)
            store(clean, without(spans, *what))

            done = eraser(erased)[0].run(asked(erased, *what))

            assert (done.state, done.progress.kept, done.progress.days) == ("done", 0, ())
            assert contents(erased) == contents(clean)

    holds()


@pytest.mark.parametrize("what", [("user", "u"), ("session", "s"), ("trace", trace_id(1).hex())])
def test_report(database: Database, empty_databases: EmptyDatabases, what: tuple[str, str]) -> None:
    """The report counts rows by table before they go; a dry run counts the same and changes nothing."""
    store(database, SPANS)
    before = contents(database)
    erasure = asked(database, *what)

    traces, rows = eraser(database)[0].counted(erasure)

    assert contents(database) == before
    assert traces == len(traces_of(SPANS, *what))
    assert rows["spans"] == sum(span.project == "default" and span.trace in traces_of(SPANS, *what) for span in SPANS)
    done = eraser(database)[0].run(erasure)
    assert (done.progress.traces, done.progress.counts) == (traces, rows)
    with empty_databases.lend() as clean:
        store(clean, without(SPANS, *what))
        assert contents(database) == contents(clean)


class KilledError(Exception):
    """The process is gone."""


def test_crashes_on_the_way(database: Database, empty_databases: EmptyDatabases) -> None:
    """Killed after one step after the other, by whichever process it is gone on with, it ends as without."""
    store(database, SPANS)
    asked(database, "user", "u")
    counts = eraser(database)[0].counted(asked(database, "user", "u"))[1]
    days = sorted({str(span.start.date()) for span in SPANS if span.user == "u" and span.project == "default"})
    steps = ["marked", "remembered", "planned", "scores", "dataset_items", "failures", f"made {days[0]}", *days]
    for number, last in enumerate([*steps, "scrubbed", "rewritten"]):

        def kill(step: str, last: str = last) -> None:
            if step == last:
                raise KilledError

        # The other process comes when what was left is stale.
        at = NOW + timedelta(minutes=6 * number)
        found, book = eraser(database, owner="two" if number % 2 else "one", now=at, on_step=kill)
        (open_,) = book.all(only_open=True)
        with pytest.raises(KilledError):
            found.run(open_)

    later = NOW + timedelta(hours=3)
    assert keeper(database, now=later).step()["passes"] == 1

    (done,) = eraser(database)[1].all()
    assert (done.state, done.progress.traces, done.progress.counts, done.progress.days) == ("done", 2, counts, ())
    with empty_databases.lend() as clean:
        store(clean, without(SPANS, "user", "u"))
        assert contents(database) == contents(clean)


def test_two_at_once(database: Database, empty_databases: EmptyDatabases) -> None:
    """Two erasures, of which each finds some of the other's traces, are done one after the other; again is nothing."""
    store(database, SPANS)
    asked(database, "user", "u", name="e1")
    asked(database, "session", "s", name="e2")

    assert keeper(database).step()["passes"] == 2
    assert keeper(database).step()["passes"] == 0

    assert {one.id: one.progress.traces for one in eraser(database)[1].all()} == {"e1": 2, "e2": 0}
    with empty_databases.lend() as clean:
        store(clean, without(SPANS, "user", "u"))
        assert contents(database) == contents(clean)


def test_roll_ups_of_expired_spans_stay(database: Database) -> None:
    """Where other spans of a combination have expired its sums stay, which the report says, and nothing is lost."""
    store(database, SPANS)
    database.command(f"DELETE FROM spans WHERE trace_id = unhex('{trace_id(2).hex()}')")
    before = database.query("SELECT sum(n) FROM metrics_1d WHERE project_id = 'default' AND kind = 'llm'").rows

    done = eraser(database)[0].run(asked(database, "trace", trace_id(1).hex()))

    assert done.progress.kept > 0
    assert before == database.query("SELECT sum(n) FROM metrics_1d WHERE project_id = 'default' AND kind = 'llm'").rows
    assert not database.query(f"SELECT 1 FROM spans WHERE trace_id = unhex('{trace_id(1).hex()}')").rows


def test_every_table_with_traces_is_thought_of(database: Database) -> None:
    """A new table that names traces, sessions or users has to be removed from, or be bookkeeping."""
    tables = database.query(
        "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND table IN (SELECT name FROM "
        "system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') "
        "AND name IN ('trace_id', 'session_id', 'user_id', 'span_id', 'item_id')"
    ).rows

    assert {table for (table,) in tables} <= {*REMOVED, *OF_SPANS, *BOOKKEEPING}


def test_spans_after_it_stay(database: Database) -> None:
    """An erasure of a user means what started before it."""
    insert(database, [llm(trace=1, span=1, user="u", at_ms=AT_MS)])
    later = llm(trace=2, span=2, user="u", at_ms=AT_MS + (NOW - SPANS[0].start).total_seconds() * 1000 + 1)
    insert(database, [later])

    eraser(database)[0].run(asked(database, "user", "u"))

    assert [(trace_id(2),)] == database.query("SELECT trace_id FROM spans").rows
