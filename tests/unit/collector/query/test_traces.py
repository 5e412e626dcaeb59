"""The trace list: order, pages, filters, text search, and traces that are not whole yet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spanwise_collector.query.cursor import Cursor, CursorError
from spanwise_collector.query.search import Search, SearchError
from spanwise_collector.query.traces import FIRST_STEP, TraceFilter, list_traces, steps
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import DAY, HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api import TraceSummary
from tests.support.rows import T0, Span, insert, llm, trace_id

NOW = micros(T0) + HOUR
DAY_AROUND = Window(micros(T0) - DAY, micros(T0) + DAY)
EVERYTHING = TraceFilter(project="default", window=DAY_AROUND)


def ids(database: Database, wanted: TraceFilter = EVERYTHING, *, limit: int = 50, now_us: int = NOW) -> list[int]:
    """Numbers of the traces of the first page, in order."""
    page = list_traces(database, wanted, limit=limit, cursor=None, now_us=now_us)
    return [int(item.trace_id, 16) for item in page.items]


def all_pages(database: Database, wanted: TraceFilter, limit: int) -> list[list[int]]:
    """Numbers of the traces of every page, following the cursor."""
    pages, cursor = [], None
    while True:
        page = list_traces(database, wanted, limit=limit, cursor=cursor, now_us=NOW)
        pages.append([int(item.trace_id, 16) for item in page.items])
        if page.next_cursor is None:
            return pages
        cursor = Cursor.decode(page.next_cursor)


def test_a_row_has_the_sums_of_the_whole_trace_and_the_root_s_own_values(database: Database) -> None:
    """Name, status, previews come from the root, tokens and cost from the calls that bear them."""
    insert(
        database,
        [
            Span(
                trace=1,
                span=1,
                name="answer",
                kind="agent",
                took_ms=500,
                input="question",
                output="reply",
                user="u",
                tags=("b", "a"),
            ),
            llm(trace=1, span=2, parent=1, at_ms=10, took_ms=900, model="m-2", session="s", status="error"),
            llm(trace=1, span=3, parent=1, at_ms=20, cost=None, tags=("c",)),
            llm(trace=1, span=4, parent=2, at_ms=30, counts=False, cost=5),
        ],
    )
    page = list_traces(database, EVERYTHING, limit=1, cursor=None, now_us=NOW)
    assert page.next_cursor is None
    assert page.items == [
        TraceSummary(
            trace_id=trace_id(1).hex(),
            name="answer",
            start_time=T0,
            duration_ms=910,
            status="ok",
            environment="prod",
            release="v1",
            user_id="u",
            session_id="s",
            tags=["a", "b", "c"],
            models=["m-1", "m-2"],
            spans=4,
            llm_calls=2,
            errors=1,
            input_tokens=200,
            output_tokens=40,
            cost_nanousd=1_000_000,
            unpriced_calls=1,
            input_preview="question",
            output_preview="reply",
        )
    ]


def test_a_cost_is_unknown_when_no_call_has_a_price(database: Database) -> None:
    """Neither unpriced calls nor a trace without calls cost zero."""
    insert(database, [Span(trace=1, span=1), llm(trace=1, span=2, parent=1, cost=None)])
    insert(database, [Span(trace=2, span=3, at_ms=1)])
    insert(database, [llm(trace=3, span=4, at_ms=2, cost=0)])
    page = list_traces(database, EVERYTHING, limit=9, cursor=None, now_us=NOW)
    assert [(item.cost_nanousd, item.unpriced_calls) for item in page.items] == [(0, 0), (None, 0), (None, 1)]


def test_a_trace_whose_root_has_not_arrived_is_listed_and_completed_later(database: Database) -> None:
    """Without its root a trace has no name, and fails when a span failed; the root may start before what was seen."""
    insert(
        database, [Span(trace=1, span=2, parent=1, at_ms=50, status="error"), Span(trace=2, span=4, parent=3, at_ms=60)]
    )
    before = list_traces(database, EVERYTHING, limit=9, cursor=None, now_us=NOW).items
    assert [(item.name, item.status, item.spans) for item in before] == [("", "unset", 1), ("", "error", 1)]
    insert(database, [Span(trace=1, span=1, name="root", at_ms=40), Span(trace=2, span=3, name="other", at_ms=70)])
    after = list_traces(database, EVERYTHING, limit=9, cursor=None, now_us=NOW).items
    assert [(item.name, item.status, item.start_time, item.spans) for item in after] == [
        ("other", "ok", T0 + timedelta(milliseconds=60), 2),
        ("root", "ok", T0 + timedelta(milliseconds=40), 2),
    ]


def test_a_trace_over_several_hours_is_one_row_at_its_start(database: Database) -> None:
    """Hour buckets do not show: a trace of two hours is listed once, with all its spans, where it began."""
    hour = 3_600_000.0
    insert(
        database,
        [
            Span(trace=1, span=1, name="long", took_ms=2.5 * hour),
            Span(trace=1, span=2, parent=1, at_ms=hour + 5),
            Span(trace=1, span=3, parent=1, at_ms=2 * hour),
            Span(trace=2, span=4, name="short", at_ms=hour),
        ],
    )
    page = list_traces(database, EVERYTHING, limit=9, cursor=None, now_us=NOW)
    assert [(item.name, item.spans, item.duration_ms) for item in page.items] == [
        ("short", 1, 100),
        ("long", 3, 2.5 * hour),
    ]
    later = replace(EVERYTHING, window=Window(micros(T0) + HOUR // 2, micros(T0) + DAY))
    assert ids(database, later) == [2]
    assert ids(database, replace(EVERYTHING, min_duration_us=2 * HOUR)) == [1]


def test_a_window_holds_the_traces_that_start_in_it(database: Database) -> None:
    """The start is inside, the end is outside."""
    insert(database, [Span(trace=n, span=n, at_ms=n) for n in range(1, 6)])
    window = Window(micros(T0) + 2000, micros(T0) + 4000)
    assert ids(database, replace(EVERYTHING, window=window)) == [3, 2]


FILTERED = [
    Span(trace=1, span=1, name="ask", kind="agent", took_ms=1000, user="ann", session="s1", tags=("x",)),
    llm(trace=1, span=2, parent=1, model="big", cost=5_000_000),
    Span(
        trace=2,
        span=3,
        name="ask",
        kind="agent",
        at_ms=1,
        status="error",
        env="dev",
        user="bob",
        session="s2",
        tags=("x", "y"),
    ),
    llm(trace=2, span=4, parent=3, at_ms=2, env="dev", model="", model_request="small", cost=1_000_000, status="error"),
    Span(trace=3, span=5, name="tell", kind="chain", at_ms=3, user="ann", status="unset", took_ms=10),
    Span(trace=3, span=6, parent=5, at_ms=4, kind="tool", name="ask", status="error"),
    Span(trace=4, span=8, parent=7, at_ms=5, kind="tool", name="orphan", status="error", env="dev"),
    llm(trace=5, span=9, at_ms=6, name="free", cost=None),
]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"environments": ("dev",)}, [4, 2]),
        ({"environments": ("dev", "prod")}, [5, 4, 3, 2, 1]),
        ({"environments": ("nowhere",)}, []),
        ({"names": ("ask",)}, [2, 1]),
        ({"names": ("ask", "tell")}, [3, 2, 1]),
        ({"names": ("orphan",)}, []),
        ({"kinds": ("tool",)}, [4, 3]),
        ({"kinds": ("agent", "chain")}, [3, 2, 1]),
        ({"kinds": ("other",)}, []),
        ({"models": ("big",)}, [1]),
        ({"models": ("small", "big")}, [2, 1]),
        ({"statuses": ("error",)}, [4, 2]),
        ({"statuses": ("ok",)}, [5, 1]),
        ({"statuses": ("unset",)}, [3]),
        ({"statuses": ("unset", "error")}, [4, 3, 2]),
        ({"user": "ann"}, [3, 1]),
        ({"session": "s2"}, [2]),
        ({"tags": ("x",)}, [2, 1]),
        ({"tags": ("y", "z")}, [2]),
        ({"min_cost_n": 1_000_001}, [1]),
        ({"min_cost_n": 0}, [2, 1]),
        ({"max_cost_n": 1_000_000}, [2]),
        ({"min_cost_n": 1_000_000, "max_cost_n": 4_999_999}, [2]),
        ({"min_duration_us": 1_000_000}, [1]),
        ({"max_duration_us": 100_999}, [5, 4]),
        ({"user": "ann", "statuses": ("ok",)}, [1]),
        ({"user": "ann", "kinds": ("llm",), "models": ("small",)}, []),
        ({"environments": ("dev",), "statuses": ("error",), "tags": ("x",), "min_cost_n": 1}, [2]),
        ({"project": "other"}, []),
    ],
)
def test_filters_hold_for_the_whole_trace(database: Database, filters: dict[str, object], expected: list[int]) -> None:
    """Values of one filter are alternatives, different filters must all hold; any span of the trace may do."""
    insert(database, FILTERED)
    assert ids(database, replace(EVERYTHING, **filters)) == expected  # type: ignore[arg-type]


def test_filters_see_a_trace_that_arrived_in_pieces(database: Database) -> None:
    """Cost is summed and kinds are collected over batches, before and after the engine merged them."""
    for number in range(4):
        insert(database, [llm(trace=1, span=number + 2, parent=1, at_ms=number, cost=1_000_000)])
    insert(database, [Span(trace=1, span=1, kind="agent", name="root", took_ms=50)])
    wanted = replace(EVERYTHING, min_cost_n=4_000_000, kinds=("agent",), models=("m-1",), max_duration_us=103_000)
    assert ids(database, wanted) == [1]
    database.command("OPTIMIZE TABLE trace_agg FINAL")
    assert ids(database, wanted) == [1]


def test_projects_never_see_each_other(database: Database) -> None:
    """The same trace id in two projects is two traces."""
    insert(database, [Span(trace=1, span=1, name="mine", input="secret words")])
    insert(database, [Span(trace=1, span=2, name="theirs", project="theirs", input="other words")])
    for project, name in (("default", "mine"), ("theirs", "theirs")):
        items = list_traces(database, replace(EVERYTHING, project=project), limit=9, cursor=None, now_us=NOW).items
        assert [(item.name, item.spans) for item in items] == [(name, 1)]
    assert ids(database, replace(EVERYTHING, project="theirs", search=Search.parse("secret"))) == []


SEARCHED = [
    Span(trace=1, span=1, input="Where is my ORDER-123?", output="It was shipped: 100% sure_thing"),
    Span(trace=2, span=2, at_ms=1, input="the order", output="123 parcels"),
    Span(trace=3, span=3, at_ms=2, input="École à Zürich", output="a\\b 'quoted' \"text\""),
    Span(trace=4, span=5, parent=4, at_ms=3, output="order 123, my friend"),
    Span(trace=5, span=6, at_ms=4, input="reorder 1234"),
]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("order", [4, 2, 1]),
        ("ORDER 123", [4, 1]),
        ("123 order", [4, 1]),
        ("order-123", [4, 1]),
        ('"order-123"', [1]),
        ('"order 123" friend', [4]),
        ("orde", []),
        ("%", None),
        ("100%", [1]),
        ("sure_thing", [1]),
        ("sure%thing", [1]),
        ('"sure_thing"', [1]),
        ('"sure%thing"', []),
        ("école", [3]),
        ("ZÜRICH", [3]),
        ("a\\b", [3]),
        ("'quoted'", [3]),
        ("shipped order", []),
        ("' OR 1=1 --", []),
        ("", None),
        ('"', None),
    ],
)
def test_search_finds_whole_words_in_one_body(database: Database, typed: str, expected: list[int] | None) -> None:
    """All words in the input, or all in the output, of one span; quotes keep them together; no character is special."""
    insert(database, SEARCHED)
    if expected is None:
        with pytest.raises(SearchError, match="letter or digit"):
            Search.parse(typed)
    else:
        fresh = ids(database, replace(EVERYTHING, search=Search.parse(typed)))
        # Inserts leave the text index to merges: the answer is the same without it and with it.
        database.command("OPTIMIZE TABLE span_io FINAL")
        merged = ids(database, replace(EVERYTHING, search=Search.parse(typed)))
        assert (fresh, merged) == (expected, expected)


def test_search_uses_previews_where_bodies_have_expired(database: Database) -> None:
    """After two weeks bodies are gone; what the first 256 characters hold is still found."""
    words = "needle " + "hay " * 100 + "pin"
    insert(
        database, [Span(trace=1, span=1, input=words, bodies_stored=False), Span(trace=2, span=2, at_ms=1, input="hay")]
    )
    needle, pin = (replace(EVERYTHING, search=Search.parse(word)) for word in ("needle", "pin"))
    assert ids(database, needle, now_us=micros(T0) + 13 * DAY) == []
    assert ids(database, needle, now_us=micros(T0) + 15 * DAY) == [1]
    assert ids(database, pin, now_us=micros(T0) + 15 * DAY) == []


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    starts=st.lists(st.integers(0, 40), min_size=1, max_size=25),
    spread=st.sampled_from([0, 1, 1_000, HOUR // 1000, 7 * HOUR // 1000]),
    limit=st.integers(1, 12),
    failed_only=st.booleans(),
)
def test_pages_follow_each_other_without_gap_or_repeat(
    database: Database, starts: Sequence[int], spread: int, limit: int, failed_only: bool
) -> None:
    """Concatenated pages are the full list in order, whatever shares a start and however sparse it is."""
    project = f"p{starts}{spread}{limit}{failed_only}"
    spans = [
        Span(trace=n, span=n, project=project, at_ms=start * spread, status="error" if n % 3 == 0 else "ok")
        for n, start in enumerate(starts, 1)
    ]
    insert(database, spans, token=project)
    wanted = replace(
        EVERYTHING,
        project=project,
        window=Window(micros(T0), micros(T0) + 41 * 7 * HOUR),
        statuses=("error",) if failed_only else (),
    )
    pages = all_pages(database, wanted, limit)
    listed = [span for span in spans if span.status == "error" or not failed_only]
    expected = [span.trace for span in sorted(listed, key=lambda span: (span.at_ms, span.trace), reverse=True)]
    assert [number for page in pages for number in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def test_new_traces_do_not_shift_the_pages(database: Database) -> None:
    """A page that follows a cursor holds the same traces, however many newer ones arrived since."""
    insert(database, [Span(trace=n, span=n, at_ms=n) for n in range(1, 11)])
    first = list_traces(database, EVERYTHING, limit=4, cursor=None, now_us=NOW)
    insert(database, [Span(trace=n, span=n, at_ms=n) for n in range(11, 30)])
    assert first.next_cursor is not None
    second = list_traces(database, EVERYTHING, limit=4, cursor=Cursor.decode(first.next_cursor), now_us=NOW)
    assert [[int(i.trace_id, 16) for i in page.items] for page in (first, second)] == [[10, 9, 8, 7], [6, 5, 4, 3]]


@given(start=st.integers(-(2**63), 2**63 - 1), trace=st.binary(min_size=16, max_size=16))
def test_a_cursor_survives_the_round_trip(start: int, trace: bytes) -> None:
    """What a page gave out comes back as the same key."""
    assert Cursor.decode(Cursor(start, trace).encode()) == Cursor(start, trace)


@given(text=st.one_of(st.text(max_size=60), st.binary(max_size=40).map(lambda data: data.hex())))
def test_anything_else_is_not_a_cursor(text: str) -> None:
    """A made-up cursor is refused, never read as some key."""
    with pytest.raises(CursorError, match="start again without it"):
        Cursor.decode(text)


@given(start=st.integers(0, 10**15), length=st.integers(0, 400 * DAY))
def test_steps_cover_the_range_backwards_without_gap(start: int, length: int) -> None:
    """Each step ends where the one before began, the first at the end of the range, the last at its start."""
    found = list(steps(start, start + length))
    assert [step.end for step in found] == [start + length, *(step.start for step in found[:-1])][: len(found)]
    assert (found[-1].start == start) if length else found == []
    assert all(step.length <= FIRST_STEP * 4**number for number, step in enumerate(found))
    assert len(found) <= 9


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"releases": ("v2",)}, [2]),
        ({"prompts": ("ask@v1",)}, [1]),
        ({"prompts": ("ask",)}, [2, 1]),
        ({"providers": ("mistral",)}, [2]),
        ({"tools": ("search",)}, [1]),
        ({"user_groups": ("gold",)}, [2]),
        ({"failures": ("refusal", "timeout")}, [1]),
        ({"prompts": ("ask",), "providers": ("mistral",), "user_groups": ("gold",)}, [2]),
        ({"prompts": ("ask@v1",), "providers": ("mistral",)}, []),
    ],
)
def test_traces_are_found_by_what_their_spans_have(
    database: Database, wanted: dict[str, tuple[str, ...]], expected: list[int]
) -> None:
    """Release, prompt, provider, tool, group of users and class of failure; different filters must all hold."""
    insert(
        database,
        [
            Span(trace=1, span=1, name="a"),
            llm(trace=1, span=2, parent=1, prompt=("ask", "v1"), provider="openai", failure=("refusal", "", "no", 7)),
            Span(trace=1, span=3, parent=1, kind="tool", tool="search"),
            Span(trace=2, span=4, name="b", at_ms=5, release="v2", attrs={"spanwise.user.group": "gold"}),
            llm(trace=2, span=5, parent=4, at_ms=6, prompt=("ask", "v2"), provider="mistral", release="v2"),
            Span(trace=3, span=6, name="c", at_ms=9),
        ],
    )
    assert ids(database, replace(EVERYTHING, **wanted)) == expected  # type: ignore[arg-type]
