"""What the page Annotate expects of the API, on the real one over the real engine."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from spanwise_collector.store.database import Database
from spanwise_dashboard.annotations_api import AnnotationsApi
from spanwise_dashboard.client import Client
from spanwise_dashboard.errors import ApiError, NotFoundError
from spanwise_schemas.api_annotations import NewReview, Question, Queue
from tests.contract.test_dashboard_client import NOW, real
from tests.support.rows import T0, Span, insert

QUEUE = Queue(
    name="Answers",
    questions=(Question(name="correct"),),
    random_share=1,
    lookback_hours=24 * 30,
    delay_minutes=0,
)


@pytest.fixture
def api(database: Database) -> Iterator[AnnotationsApi]:
    """Over an API that holds two traces."""
    assert timedelta() < NOW - T0 < timedelta(days=30)
    insert(database, [Span(trace=1, span=1), Span(trace=2, span=2, at_ms=1000)])
    with real(database) as url, Client(url) as asking:
        yield AnnotationsApi(asking, "default")


def test_a_queue_is_made_listed_and_deleted(api: AnnotationsApi) -> None:
    """It is full at once, stays full when it is filled again, and is gone when it is deleted."""
    made = api.make(QUEUE, "Ada")
    assert (made.queue, made.by, made.progress.open) == (QUEUE, "Ada", 2)
    assert api.queues().items == [made]
    assert api.fill(made.queue_id).progress.items == 2
    assert AnnotationsApi(api.client, "lab").queues().items == []


def test_items_come_one_by_one(api: AnnotationsApi) -> None:
    """Each reviewer has one; skipping brings the next; what is not there is not found."""
    queue_id = api.make(QUEUE, "").queue_id
    first, second = api.next(queue_id, "Ada").item, api.next(queue_id, "Bob").item
    assert first is not None
    assert second is not None
    assert (first.trace_id, second.trace_id) == (f"{1:032x}", f"{2:032x}")
    with pytest.raises(NotFoundError, match="no annotation queue"):
        api.next("0" * 16, "Ada")


def test_a_queue_without_corrections_has_none(api: AnnotationsApi) -> None:
    """The list is empty."""
    assert api.corrections(api.make(QUEUE, "").queue_id, limit=1).items == []


def test_without_kafka_a_review_is_refused_and_says_why(api: AnnotationsApi) -> None:
    """The sentence names the role that is missing."""
    item = api.next(api.make(QUEUE, "").queue_id, "Ada").item
    assert item is not None
    with pytest.raises(ApiError, match="SPANWISE_ROLE"):
        api.review(item, NewReview(reviewer="Ada", answers={"correct": True}))
