"""The address reproduces the page."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spanwise_dashboard.alerts_place import TABS, AlertsPlace
from spanwise_dashboard.compare_place import AGAINST, SIDES, ComparePlace, choices
from spanwise_dashboard.evals_place import SPLITS, WORST_ORDERS, EvalsPlace
from spanwise_dashboard.failures_place import ORDERS, SHOWN, FailuresPlace
from spanwise_dashboard.state import (
    CACHES,
    DIMENSIONS,
    PRESETS,
    REFRESH_SECONDS,
    STATUSES,
    Filters,
    State,
    TimeRange,
    parse,
    query,
)

TEXTS = st.text(min_size=1, max_size=20)
LISTS = st.lists(TEXTS, max_size=3, unique=True).map(tuple)
NUMBERS = st.none() | st.floats(min_value=0, max_value=1e12, allow_nan=False)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=80_000)).map(lambda age: datetime(1971, 1, 1, tzinfo=UTC) + age)
FIXED = st.tuples(INSTANTS, st.timedeltas(timedelta(microseconds=1), timedelta(days=400))).map(
    lambda pair: TimeRange(start=pair[0], end=pair[0] + pair[1])
)
STATES = st.builds(
    State,
    project=st.text(max_size=20),
    time=FIXED | st.sampled_from(list(PRESETS)).map(TimeRange),
    filters=st.builds(
        Filters,
        environment=LISTS,
        name=LISTS,
        kind=LISTS,
        model=LISTS,
        status=st.lists(st.sampled_from(STATUSES), unique=True).map(tuple),
        tag=LISTS,
        user=st.text(max_size=20),
        session=st.text(max_size=20),
        q=st.text(max_size=20),
        min_cost_usd=NUMBERS,
        max_cost_usd=NUMBERS,
        min_duration_ms=NUMBERS,
        max_duration_ms=NUMBERS,
    ),
    cursor=st.text(max_size=20),
    trace_id=st.text(max_size=32),
    span_id=st.text(max_size=16),
    refresh=st.sampled_from(list(REFRESH_SECONDS)),
    by=st.sampled_from(DIMENSIONS),
    model=st.text(max_size=20),
    cache=st.sampled_from(list(CACHES)),
    alerts=st.builds(
        AlertsPlace,
        tab=st.sampled_from(TABS),
        alert_id=st.text(max_size=16),
        rule_id=st.text(max_size=16),
        day=st.none() | st.dates(),
    ),
    failures=st.builds(
        FailuresPlace,
        issue_id=st.text(max_size=16),
        classes=LISTS,
        shown=st.sampled_from(SHOWN),
        order=st.sampled_from(ORDERS),
    ),
    compare=st.builds(
        ComparePlace,
        by=st.sampled_from(SIDES),
        a=st.text(max_size=20),
        b=st.text(max_size=20),
        against=st.sampled_from(list(AGAINST)),
        fixed=st.none() | FIXED.map(lambda time: time.fixed),
        signal=st.text(max_size=20),
    ),
    evals=st.builds(
        EvalsPlace,
        score=st.text(max_size=20),
        giver=st.text(max_size=20),
        split=st.sampled_from(SPLITS),
        label=st.text(max_size=20),
        order=st.sampled_from(WORST_ORDERS),
    ),
)


def as_browser(parameters: dict[str, str | list[str]]) -> dict[str, list[str]]:
    """What Streamlit reads back: every value in a list."""
    return {key: value if isinstance(value, list) else [value] for key, value in parameters.items()}


@given(STATES)
def test_round_trip(state: State) -> None:
    """A state that is put into the address is read back as it was."""
    assert parse(as_browser(query(state))) == state


@given(
    st.dictionaries(
        st.sampled_from(
            [
                *("range", "from", "to", "status", "min_cost_usd", "refresh", "q", "by", "cache", "to_model", "tab"),
                *("day", "issue", "class", "state", "order", "compare", "a", "against", "a_from", "a_to", "signal"),
            ]
        ),
        st.lists(st.text()),
    )
)
def test_any_address_opens(parameters: dict[str, list[str]]) -> None:
    """Whatever is typed into the address, a page opens, and its own address reads the same."""
    state = parse(parameters)

    assert parse(as_browser(query(state))) == state


def test_defaults_leave_the_address_bare() -> None:
    """The plain page has a plain address."""
    assert query(State()) == {}


def test_what_does_not_read_falls_back() -> None:
    """Values that mean nothing are left out, those beside them are kept."""
    state = parse({"range": ["9y"], "status": ["error", "purple"], "min_cost_usd": ["-1"], "from": ["x"], "q": ["hi"]})

    assert state == State(filters=Filters(status=("error",), q="hi"))


def test_a_range_that_ends_before_it_starts_is_ignored() -> None:
    """A fixed range needs its end after its start."""
    assert parse({"from": ["2026-01-02T00:00:00Z"], "to": ["2026-01-01T00:00:00Z"]}).time == TimeRange()


def test_window_of_a_preset_ends_now() -> None:
    """A preset moves with the clock."""
    now = datetime(2026, 1, 2, tzinfo=UTC)

    assert TimeRange("6h").window(now) == (now - timedelta(hours=6), now)


def test_the_range_to_compare_with() -> None:
    """As long and just before, so much earlier, or as typed in; never one that overlaps."""
    day = datetime(2026, 1, 9, tzinfo=UTC)
    hour = (day, day + timedelta(hours=1))
    typed = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 5, tzinfo=UTC))

    assert ComparePlace().first(hour) == (day - timedelta(hours=1), day)
    assert ComparePlace(against="week").first(hour) == tuple(each - timedelta(days=7) for each in hour)
    assert ComparePlace(against="week", fixed=typed).first(hour) == typed
    assert choices(hour) == ["before", "day", "week"]
    assert choices((day - timedelta(days=3), day)) == ["before", "week"]


def test_wider() -> None:
    """Each range has a wider one, up to the widest."""
    assert [TimeRange(name).wider() for name in ("15m", "7d", "14d")] == [TimeRange("1h"), TimeRange("14d"), None]


def test_changing_a_filter_goes_to_the_first_page() -> None:
    """A cursor belongs to the filters it was made with."""
    assert State(cursor="abc").filtered(user="u") == State(filters=Filters(user="u"))


def test_active_filters() -> None:
    """Zero is a limit like any other; empty is not."""
    assert Filters(q="x", min_cost_usd=0.0, tag=("a", "b")).active == ["tag", "q", "min_cost_usd"]
