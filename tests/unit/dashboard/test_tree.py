"""Spans become a tree that leaves none out."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.tree import first_error, rows
from spanwise_schemas.api import SpanSummary, Status

START = datetime(2026, 1, 1, tzinfo=UTC)


def span(span_id: str, parent: str = "", offset: float = 0, duration: float = 10, status: Status = "ok") -> SpanSummary:
    """A span with what the tree looks at."""
    return SpanSummary(
        span_id=span_id,
        parent_span_id=parent,
        name=span_id,
        kind="chain",
        status=status,
        start_time=START,
        offset_ms=offset,
        duration_ms=duration,
        ttft_ms=None,
    )


IDS = st.sampled_from([*"abcdefgh"])
SPANS = st.lists(
    st.builds(span, IDS, st.just("") | IDS | st.just("elsewhere"), st.floats(0, 100), st.floats(0, 50)), max_size=12
)


@given(SPANS)
def test_every_span_is_in_the_tree_exactly_once(spans: list[SpanSummary]) -> None:
    """Whatever the parents say (missing, loops, the same id twice), nothing that arrived is lost or doubled."""
    assert sorted(id(row.span) for row in rows(spans)) == sorted(id(each) for each in spans)


@given(SPANS)
def test_depths_and_sums_fit(spans: list[SpanSummary]) -> None:
    """A row is at most one deeper than the one before, and the next `below` rows are exactly those deeper than it."""
    tree = rows(spans)
    for index, row in enumerate(tree):
        deeper = 0
        while index + deeper + 1 < len(tree) and tree[index + deeper + 1].depth > row.depth:
            deeper += 1
        under = tree[index + 1 : index + 1 + deeper]

        assert row.depth <= (tree[index - 1].depth + 1 if index else 0)
        assert (row.below, row.children) == (deeper, sum(each.depth == row.depth + 1 for each in under))
        assert row.errors_below == sum(each.span.status == "error" for each in under)


def test_order_and_orphans() -> None:
    """Siblings stand in order of start; a span whose parent is missing is a root that says so."""
    spans = [span("late", "root", 5), span("root"), span("lost", "gone", 3), span("early", "root", 1)]

    assert [(row.span.span_id, row.depth, row.orphan) for row in rows(spans)] == [
        ("root", 0, False),
        ("early", 1, False),
        ("late", 1, False),
        ("lost", 0, True),
    ]


def test_a_loop_of_parents_hangs_on_its_earliest_span() -> None:
    """Spans that are each other's parents are shown below the earliest of them."""
    spans = [span("a", "b", 2), span("b", "a", 1), span("self", "self", 3)]

    assert [(row.span.span_id, row.depth, row.orphan) for row in rows(spans)] == [
        ("b", 0, True),
        ("a", 1, False),
        ("self", 0, True),
    ]


def test_a_chain_of_ten_thousand_spans() -> None:
    """Depth is not limited by the interpreter's stack."""
    spans = [span(str(number), str(number - 1) if number else "", number) for number in range(10_000)]

    assert [row.depth for row in rows(spans)] == list(range(10_000))


def test_critical_path() -> None:
    """The path goes through the child that ended last, then through what ended before it began."""
    spans = [
        span("root", duration=100),
        span("first", "root", 0, 40),
        span("beside", "root", 5, 20),
        span("second", "root", 45, 50),
        span("inner", "second", 50, 40),
        span("background", "root", 60, 300),
    ]

    assert [row.span.span_id for row in rows(spans) if row.critical] == ["root", "first", "second", "inner"]


def test_first_error_is_the_cause() -> None:
    """The failure to look at first is the earliest without a failure below it."""
    spans = [
        span("root", status="error"),
        span("call", "root", 5, status="error"),
        span("other", "root", 9, status="error"),
    ]
    found = first_error(rows(spans))

    assert found is not None
    assert found.span.span_id == "call"


def test_no_error() -> None:
    """A trace without failures has no first one."""
    assert first_error(rows([span("root")])) is None
