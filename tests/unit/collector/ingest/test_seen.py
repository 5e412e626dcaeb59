"""The duplicate filter."""

from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.ingest.seen import SeenSpans

STORED = st.lists(st.tuples(st.integers(0, 30), st.binary(min_size=1, max_size=1)), max_size=40).map(
    lambda entries: sorted({span: (offset, span) for offset, span in entries}.values())
)


@given(STORED, st.integers(0, 35))
def test_the_filter_depends_on_the_window_alone(stored: list[tuple[int, bytes]], start: int) -> None:
    """After running on and rewinding it holds what a fresh one holds that was read back for the same start."""
    window = 7
    running = SeenSpans(window)
    running.add(stored)
    running.rewind(start)
    fresh = SeenSpans(window)
    fresh.add((offset, span) for offset, span in stored if fresh.first(start) <= offset < start)

    kept, read_back = running.before(start), fresh.before(start)

    spans = {span for _, span in stored}
    assert {span for span in spans if span in kept} == {span for span in spans if span in read_back}


def test_refused_spans_are_forgotten() -> None:
    """What the store refused is not stored, so its repeat is no duplicate."""
    seen = SeenSpans(10)
    seen.add([(1, b"a"), (1, b"b"), (2, b"c")])

    seen.drop({b"b"})

    kept = seen.before(3)
    assert ([span for span in (b"a", b"b", b"c") if span in kept], len(seen)) == ([b"a", b"c"], 2)
