"""Issues: failures grouped by reason when they are read, and what people say of them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.failures.issue_book import IssueBook, UnknownIssueError
from spanwise_collector.query.failure_detail import get_issue
from spanwise_collector.query.failures import PARTS, get_issues, is_spiking
from spanwise_collector.query.failures_source import FailureFilter, issue_id, issue_number
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api_failures import Counted, Issue, IssueOrder, IssuePage
from tests.support.failure_rows import Failed, insert_failures
from tests.support.rows import T0, Span, insert

START = micros(T0)
DAY_LONG = Window(START, START + 24 * HOUR)
MINE = FailureFilter("default")


def issues(database: Database, wanted: FailureFilter = MINE, **more: object) -> IssuePage:
    """The issues of the day."""
    return get_issues(database, wanted, DAY_LONG, **more)  # type: ignore[arg-type]


def by_id(page: IssuePage) -> dict[int, Issue]:
    """Issues by number."""
    return {issue_number(one.issue_id): one for one in page.items}


def test_failures_of_one_reason_are_an_issue(database: Database) -> None:
    """Count, users, traces and cost are of the window; first and last seen are of all that is kept."""
    insert_failures(
        database,
        [
            Failed(fingerprint=7, at=-600, user="ann", cost=9),
            Failed(fingerprint=7, at=30, user="ann", trace=2, cost=5, release="v2"),
            Failed(fingerprint=7, at=90, user="bob", trace=2, span=2, cost=6, model="m-2"),
            Failed(fingerprint=8, at=60, cls="refusal", title="I cannot help", project="other"),
        ],
    )

    trend = [0] * PARTS
    trend[0], trend[1] = 1, 1
    assert issues(database).items == [
        Issue(
            issue_id=issue_id(7),
            failure_class="rate_limit",
            title="Too many requests",
            name="ask",
            kind="llm",
            count=2,
            traces=1,
            users=2,
            cost_nanousd=11,
            previous_count=1,
            first_seen=T0 - timedelta(hours=10),
            last_seen=T0 + timedelta(minutes=90),
            trend=trend,
            releases=["v1", "v2"],
            models=["m-1", "m-2"],
        )
    ]


def test_a_page_says_of_how_many_spans(database: Database) -> None:
    """Without failures there are no issues, and the page still knows how many spans were watched."""
    insert(database, [Span(trace=1, span=1, name="ask"), Span(trace=2, span=2)])
    page = issues(database)
    assert (page.items, page.spans) == ([], 2)


@pytest.mark.parametrize(
    ("order", "first"), [("last_seen", 1), ("first_seen", 1), ("count", 2), ("users", 3), ("cost", 4)]
)
def test_issues_are_sorted(database: Database, order: IssueOrder, first: int) -> None:
    """Each order has its own first."""
    insert_failures(
        database,
        [
            Failed(fingerprint=1, at=90),
            *(Failed(fingerprint=2, at=number, span=number) for number in range(1, 6)),
            Failed(fingerprint=3, at=1, user="a"),
            Failed(fingerprint=3, at=2, user="b"),
            Failed(fingerprint=4, at=1, cost=99),
        ],
    )
    page = issues(database, order=order, limit=1)
    assert ([issue_number(one.issue_id) for one in page.items], page.total) == ([first], 4)


def test_filters_narrow(database: Database) -> None:
    """By class, model, release, environment, name, state and a part of the title."""
    insert_failures(
        database,
        [
            Failed(fingerprint=1, cls="refusal", title="Sorry", model="x", env="dev", name="n", release="r"),
            Failed(fingerprint=2),
        ],
    )
    one = {1}
    assert set(by_id(issues(database, FailureFilter("default", classes=("refusal",))))) == one
    assert set(by_id(issues(database, FailureFilter("default", models=("x",))))) == one
    assert set(by_id(issues(database, FailureFilter("default", environments=("dev",))))) == one
    assert set(by_id(issues(database, FailureFilter("default", names=("n",))))) == one
    assert set(by_id(issues(database, FailureFilter("default", releases=("r",))))) == one
    assert set(by_id(issues(database, text="SORR"))) == one
    assert set(by_id(issues(database, states=("resolved",)))) == set()
    assert issues(database).by_class == {"refusal": 1, "rate_limit": 1}


class Clock:
    """A time of day that goes on with each look, so that what is said later is later."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """The time."""
        self.at += timedelta(milliseconds=1)
        return self.at


@pytest.fixture
def book(database: Database) -> IssueBook:
    """A book two hours after T0."""
    return IssueBook(database, Clock(T0 + timedelta(hours=2)))


def test_a_resolved_issue_that_returns_is_open_again(database: Database, book: IssueBook) -> None:
    """The state holds until a failure later than it; what else was said stays."""
    insert_failures(database, [Failed(fingerprint=1, at=10)])
    book.set_state("default", 1, "resolved", note="fixed in v2", by="ann")
    resolved = by_id(issues(database))[1]
    assert (resolved.state, resolved.reopened, resolved.note, resolved.changed_by) == (
        "resolved",
        False,
        "fixed in v2",
        "ann",
    )

    insert_failures(database, [Failed(fingerprint=1, at=130)])
    returned = by_id(issues(database))[1]
    assert (returned.state, returned.reopened, returned.note) == ("open", True, "fixed in v2")


@pytest.mark.parametrize("state", ["acknowledged", "ignored"])
def test_other_states_stay_when_it_goes_on(database: Database, book: IssueBook, state: str) -> None:
    """Acknowledged and ignored issues do not come back by themselves."""
    insert_failures(database, [Failed(fingerprint=1, at=10), Failed(fingerprint=1, at=300)])
    book.set_state("default", 1, state)  # type: ignore[arg-type]
    assert (by_id(issues(database))[1].state, by_id(issues(database))[1].reopened) == (state, False)


def test_merge_and_split_rewrite_nothing(database: Database, book: IssueBook) -> None:
    """Merged issues are one until they are split; the failures themselves stay as they were."""
    insert_failures(database, [Failed(fingerprint=number, at=number, title=f"t{number}") for number in (1, 2, 3)])
    before = database.query("SELECT * FROM failures ORDER BY ALL").rows

    assert book.merge("default", 1, [2, 3], by="ann") == 2
    merged = by_id(issues(database))
    assert {number: (one.count, one.fingerprints) for number, one in merged.items()} == {1: (3, 3)}

    assert book.split("default", [3]) == 3
    assert {number: one.count for number, one in by_id(issues(database)).items()} == {1: 2, 3: 1}
    with pytest.raises(ValueError, match="split off the others"):
        book.split("default", [1])
    assert database.query("SELECT * FROM failures ORDER BY ALL").rows == before


def test_what_is_said_of_nothing_is_an_error(book: IssueBook) -> None:
    """No state, merge or split of an issue without failures, so that a mistyped id is noticed."""
    with pytest.raises(UnknownIssueError, match="0000000000000009"):
        book.set_state("default", 9, "resolved")
    with pytest.raises(UnknownIssueError):
        book.merge("default", 9, [8])
    with pytest.raises(UnknownIssueError):
        book.split("default", [9])


def test_an_issue_in_detail(database: Database) -> None:
    """Course by steps, examples newest first, fingerprints, and the most frequent values of each dimension."""
    insert_failures(
        database,
        [
            Failed(fingerprint=1, at=10, message="a", prompt=("p", "v2")),
            Failed(fingerprint=1, at=70, model="m-2", trace=2, message="b"),
            Failed(fingerprint=1, at=75, model="m-2", trace=3, message="c"),
        ],
    )
    found = get_issue(database, "default", 1, DAY_LONG, {"rate_limit": "Slow down."})
    assert found is not None
    assert found.explanation == "Slow down."
    assert (found.step_seconds, sum(found.counts), found.counts[:2]) == (900, 3, [1, 0])
    assert [one.message for one in found.examples] == ["c", "b", "a"]
    assert [(one.fingerprint, one.count, one.how) for one in found.fingerprints] == [(issue_id(1), 3, "own")]
    assert found.by["model"] == [Counted(value="m-2", count=2), Counted(value="m-1", count=1)]
    assert found.by["prompt"][1] == Counted(value="p@v2", count=1)
    assert get_issue(database, "default", 2, DAY_LONG, {}) is None


def test_a_sudden_rise_is_a_spike() -> None:
    """Far more than usual at the end; what always comes in bursts, or is little, is none."""
    assert is_spiking([1] * 20 + [5, 6, 5, 4])
    assert not is_spiking([1] * 24)
    assert not is_spiking([0, 20, 0, 0, 0, 0, 18, 0, 0, 0, 0, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0])
    assert not is_spiking([0] * 20 + [9, 9, 9, 9])
    assert not is_spiking([1] * 20 + [1, 1, 1, 1])


@given(st.lists(st.integers(0, 10**9), min_size=PARTS, max_size=PARTS))
def test_any_trend_can_be_judged(trend: list[int]) -> None:
    """Every course gives an answer, and a steady one is no spike."""
    assert is_spiking(trend) in (True, False)
    assert not is_spiking([trend[0]] * PARTS)


def test_ids_read_back() -> None:
    """An id is 16 hex digits; anything else is an error that says so."""
    assert issue_number(issue_id(2**64 - 1)) == 2**64 - 1
    with pytest.raises(ValueError, match="16 hex digits"):
        issue_number("")
