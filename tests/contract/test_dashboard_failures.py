"""What the dashboard expects of the API of failures and comparisons, on the real one over the real engine."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from spanwise_collector.store.database import Database
from spanwise_dashboard.client import Client
from spanwise_dashboard.compare_api import CompareApi
from spanwise_dashboard.errors import NotFoundError
from spanwise_dashboard.failures_api import FailuresApi
from spanwise_dashboard.failures_place import FailuresPlace
from spanwise_schemas.api_failures import IssueChange, IssueMerge, IssueSplit
from tests.contract.test_dashboard_client import END, START, real
from tests.support.failure_rows import Failed, insert_failures

WINDOW = (START, END)
LIMITED, CUT = 0xA1, 0xB2


@pytest.fixture
def client(database: Database) -> Iterator[Client]:
    """A client of an API that holds three failures of two issues."""
    insert_failures(
        database,
        [
            Failed(fingerprint=LIMITED, at=1, trace=1),
            Failed(fingerprint=LIMITED, at=2, trace=2),
            Failed(fingerprint=CUT, at=3, trace=3, cls="truncation", title="Cut at 1,024 tokens"),
        ],
    )
    with real(database) as url, Client(url) as asking:
        yield asking


@pytest.fixture
def api(client: Client) -> FailuresApi:
    """Failures of the project."""
    return FailuresApi(client, "default")


def test_issues_by_class_state_and_text(api: FailuresApi) -> None:
    """Each filter is understood; by its own order the most frequent is first."""
    found = api.issues(WINDOW, FailuresPlace())

    assert [(one.issue_id, one.count) for one in found.items] == [(f"{LIMITED:016x}", 2), (f"{CUT:016x}", 1)]
    assert found.by_class == {"rate_limit": 2, "truncation": 1}
    assert [one.issue_id for one in api.issues(WINDOW, FailuresPlace(classes=("truncation",))).items] == [f"{CUT:016x}"]
    assert [one.issue_id for one in api.issues(WINDOW, FailuresPlace(), text="1,024").items] == [f"{CUT:016x}"]
    assert api.issues(WINDOW, FailuresPlace(shown="resolved")).items == []
    assert api.issues(WINDOW, FailuresPlace(), environments=["elsewhere"]).items == []


def test_an_issue_is_resolved_merged_and_split(api: FailuresApi) -> None:
    """What a person says is read back."""
    issue, other = f"{LIMITED:016x}", f"{CUT:016x}"
    api.change(issue, IssueChange(state="acknowledged", note="seen", by="Ada"))
    api.merge(issue, IssueMerge(issues=[other], by="Ada"))

    merged = api.issue(issue, WINDOW)
    assert (merged.issue.state, merged.issue.note, merged.issue.changed_by) == ("acknowledged", "seen", "Ada")
    assert {one.fingerprint: one.how for one in merged.fingerprints} == {issue: "own", other: "merge"}
    assert merged.explanation != ""
    assert api.split(issue, IssueSplit(fingerprints=[other], by="Ada")) == other
    assert [one.fingerprint for one in api.issue(issue, WINDOW).fingerprints] == [issue]


def test_an_issue_that_is_not_there(api: FailuresApi) -> None:
    """It is not found, and what is no id is never asked for."""
    for issue in ("00000000000000ff", "../alerts"):
        with pytest.raises(NotFoundError):
            api.issue(issue, WINDOW)


def test_comparisons_and_changes_are_answered(client: Client) -> None:
    """Time ranges, values of a dimension, and where a difference comes from, each in its own model."""
    api = CompareApi(client, "default")
    before = (START - timedelta(hours=24), START)

    windows = api.windows(before, WINDOW)
    assert (windows.by, windows.a.end, windows.b.start) == ("window", START, START)
    assert [one.count_b for one in windows.failures] == [2, 1]
    values = api.values("release", "v1", "v2", WINDOW)
    assert (values.a.label, values.b.label) == ("v1", "v2")
    assert api.candidates("model", WINDOW).items == []
    changed = api.what_changed("error_rate", before, WINDOW)
    assert (changed.signal, changed.before_end, changed.start) == ("error_rate", START, START)
