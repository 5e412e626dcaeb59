"""Delivery: nothing is lost silently, nothing blocks for long, nothing grows without bound."""

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

import spanwise
from spanwise._guard import guard
from spanwise._outbox import Chunk, Outbox
from spanwise._queue import STALL_S, IntakeQueue
from spanwise._sampling import CountingSampler
from spanwise._transport import Refused, Sent, Unsent
from tests.support.fake_transport import FakeTransport
from tests.unit.sdk.conftest import Start


@spanwise.observe
def work(n: object = 0) -> object:
    """An observed call."""
    return n


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition with a generous end."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.002)


def test_spans_and_scores_arrive_with_counts_that_add_up(start: Start) -> None:
    """Every record says who sent it, its number and how much is inside; numbers rise by one over both topics."""
    fake = start(project="p", environment="prod", release="1.2", service="bot")

    for n in range(300):
        work(n)
    spanwise.score("q", 1.0, trace_id="ab" * 16)
    assert spanwise.flush(10)

    stats = spanwise.stats()
    assert (stats.emitted, stats.sent, stats.dropped, stats.queued) == (301, 301, {}, 0)
    envelopes = [record.envelope for record in fake.records]
    assert [envelope.seq for envelope in envelopes] == list(range(len(envelopes)))
    assert {envelope.producer for envelope in envelopes} == {stats.producer}
    assert sum(envelope.spans for envelope in envelopes) == 301
    assert len({span.span_id for span in fake.spans()}) == 300
    [score] = fake.logs()
    assert (score.event_name, score.trace_id.hex()) == ("gen_ai.evaluation.result", "ab" * 16)


def test_init_returns_and_calls_go_on_while_the_receiver_is_away(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """What fits is kept and sent when the receiver is back; both changes are logged once."""
    fake = start(FakeTransport(away=True))

    for n in range(50):
        work(n)
    assert not spanwise.flush(0.3)
    assert (spanwise.stats().queued, spanwise.stats().last_error) == (50, "the fake is away")
    wait_until(lambda: fake.attempts >= 3, "no further attempts")
    fake.away = False
    assert spanwise.flush(20)

    assert (len(fake.spans()), spanwise.stats().sent) == (50, 50)
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [message.split(" (")[0].split(";")[0] for message in messages] == [
        "Spanwise cannot send now",
        "Spanwise is sending again",
    ]


def test_while_the_receiver_is_away_the_newest_are_kept_and_every_drop_is_counted(start: Start) -> None:
    """The buffer is bounded; drops are told to the receiver with the next record."""
    fake = start(FakeTransport(away=True), max_buffer_bytes=65_536, max_content_bytes=1_000)
    for _ in range(3_000):
        work(random.randbytes(300).hex())
    wait_until(lambda: spanwise.stats().dropped.get("buffer_full", 0) > 0, "nothing was dropped")
    fake.away = False
    assert spanwise.flush(20)

    stats = spanwise.stats()
    assert stats.emitted == 3_000 == stats.sent + stats.dropped_total
    assert set(stats.dropped) <= {"buffer_full", "queue_full"}
    assert fake.records[-1].envelope.dropped == stats.dropped_total > 0


def test_a_full_queue_drops_after_a_bounded_wait_and_counts(start: Start) -> None:
    """The application is held up for the configured wait at most, not until there is room."""
    release = threading.Event()

    def mask(text: str) -> str:
        release.wait(60)
        return text

    start(max_queue_bytes=65_536, put_timeout_ms=1, mask=mask)

    for n in range(300):
        work(n)
    dropped = spanwise.stats().dropped.get("queue_full", 0)
    release.set()
    assert spanwise.flush(20)

    stats = spanwise.stats()
    assert dropped > 0
    assert (stats.emitted, stats.sent, stats.dropped) == (300, 300 - dropped, {"queue_full": dropped})


def test_refused_records_are_counted_and_the_next_are_sent(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that will never take a record does not stop the stream."""
    fake = FakeTransport(partitions=1)
    fake.answer = lambda record: Refused("too large") if record.envelope.seq == 0 else Sent()
    start(fake)

    work("refused")
    assert spanwise.flush(10)
    work("taken")
    assert spanwise.flush(10)

    stats = spanwise.stats()
    assert (stats.emitted, stats.sent, stats.dropped, stats.last_error) == (2, 1, {"refused": 1}, "too large")
    assert fake.records[0].envelope.dropped == 1


def test_a_record_that_may_have_arrived_is_sent_again_unchanged(start: Start) -> None:
    """With the same number and bytes, so that the receiver can recognise it."""
    fake = FakeTransport(partitions=1)
    seen = []

    def answer(record: object) -> Sent | Unsent:
        seen.append(record)
        return Unsent("no answer") if len(seen) == 1 else Sent()

    fake.answer = answer
    start(fake)

    work()
    assert spanwise.flush(10)

    assert seen[0] == seen[1] == fake.records[0]
    assert spanwise.stats().sent == 1


def test_shutdown_is_bounded_and_counts_what_is_left(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """With a receiver that hangs, the end comes when the time is up; later spans are counted too."""
    fake = FakeTransport()
    fake.go_on.clear()
    start(fake)

    for n in range(10):
        work(n)
    spanwise.shutdown(0.2)

    stats = spanwise.stats()
    assert (stats.emitted, stats.sent, stats.dropped, stats.queued) == (10, 0, {"exit": 10}, 0)
    assert fake.abandoned
    assert "10 spans or scores were not sent within 0.2 s at exit" in caplog.text


def test_shutdown_sends_what_is_pending(start: Start) -> None:
    """And closes the transport; a second shutdown does nothing."""
    fake = start(linger_ms=60_000)

    for n in range(10):
        work(n)
    spanwise.shutdown(10)
    spanwise.shutdown(10)

    assert (len(fake.spans()), fake.closed, spanwise.stats().sent) == (10, True, 10)


def test_init_again_replaces_the_settings(start: Start) -> None:
    """What was pending goes to the old receiver, what follows to the new, each span once."""
    provider = TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
    first = start(tracer_provider=provider)
    work("first")
    second = start(tracer_provider=provider)
    work("second")
    assert spanwise.flush(10)

    assert [len(fake.spans()) for fake in (first, second)] == [1, 1]


def test_sampling_keeps_whole_traces_and_counts_the_rest(start: Start) -> None:
    """On a joined provider, by the same rule as OpenTelemetry's ratio sampler."""
    fake = start(sample_rate=0.25)

    @spanwise.observe
    def root() -> None:
        work()

    for _ in range(200):
        root()
    assert spanwise.flush(10)

    kept = Counter(span.trace_id for span in fake.spans())
    bound = TraceIdRatioBased.get_bound_for_rate(0.25)
    assert set(kept.values()) == {2}
    assert all(int.from_bytes(trace[8:], "big") < bound for trace in kept)
    assert spanwise.stats().sampled_out == 400 - spanwise.stats().sent


def test_many_threads_lose_nothing(start: Start) -> None:
    """Every span of every thread arrives."""
    fake = start()

    def run() -> None:
        for n in range(200):
            work(n)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert spanwise.flush(20)

    assert len({span.span_id for span in fake.spans()}) == 1_600


def test_a_failing_transport_is_no_end(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception in the background is counted, logged with the promise, and sending goes on."""
    monkeypatch.setattr(guard, "reraise", False)
    fake = FakeTransport(partitions=1)

    def answer(record: object) -> Sent:
        fake.answer = lambda _: Sent()
        raise ZeroDivisionError("a defect")

    fake.answer = answer
    start(fake)

    work()
    assert spanwise.flush(10)
    work()
    assert spanwise.flush(10)

    assert (spanwise.stats().sent, spanwise.stats().dropped) == (1, {"internal_error": 1})
    assert "Your code is running on" in caplog.text


def test_masked_values_and_mask_failures_are_counted(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A mask that raises leaves nothing unmasked."""

    def mask(text: str) -> str:
        raise RuntimeError("broken")

    fake = start(mask=mask)
    work("secret")
    assert spanwise.flush(10)

    texts = {pair.value.string_value for span in fake.spans() for pair in span.attributes if pair.key.endswith("value")}
    assert texts == {"[mask failed]"}
    assert spanwise.stats().mask_failed == 2


def test_what_instrumentations_see_of_our_own_sending_is_ignored(start: Start) -> None:
    """A span made by the delivering thread (an instrumented HTTP or Kafka client) would beget the next without end."""
    provider = TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False)
    fake = FakeTransport(partitions=1)

    def answer(record: object) -> Sent:
        with provider.get_tracer("http client").start_as_current_span("POST"):
            return Sent()

    fake.answer = answer
    start(fake, tracer_provider=provider)

    work()
    assert spanwise.flush(10)
    work()
    assert spanwise.flush(10)

    assert [span.name for span in fake.spans()] == ["work", "work"]
    assert spanwise.stats().emitted == 2


def test_sampling_of_our_own_provider_counts_what_it_leaves_out() -> None:
    """Spans that are never recorded are counted where the decision is made."""
    left_out: list[None] = []
    provider = TracerProvider(
        sampler=CountingSampler(TraceIdRatioBased(0.0), lambda: left_out.append(None)), shutdown_on_exit=False
    )

    for _ in range(3):
        assert not provider.get_tracer("x").start_span("y").is_recording()

    assert (len(left_out), provider.sampler.get_description()) == (3, "TraceIdRatioBased{0.0}")


def test_the_intake_queue_waits_only_as_long_as_told() -> None:
    """A full queue gives up after the timeout; room made meanwhile is used; a single large item always fits."""
    now = [0.0]
    queue: IntakeQueue[str] = IntakeQueue(
        100, clock=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds)
    )

    assert queue.put("huge", 500, 0.05)
    assert not queue.put("more", 1, 0.05)
    assert 0.05 <= now[0] < 0.06
    for _ in range(100):
        assert not queue.put("more", 1, 0.05)
    assert STALL_S <= now[0] < STALL_S + 0.1  # the consumer has not moved for so long: no more waiting
    assert queue.take(10, 1_000) == ["huge"]
    assert queue.put("fits", 60, 0)
    assert queue.weight == 60


def test_the_outbox_drops_the_oldest_and_hands_out_one_topic_at_a_time() -> None:
    """The bound holds in bytes, and the newest always stays."""
    outbox = Outbox(1_000)
    first, second = Chunk("a", 1, 300, b"x" * 300), Chunk("a", 2, 300, b"x" * 300)
    third, other = Chunk("a", 4, 100, b"x" * 100), Chunk("b", 8, 100, b"x" * 2_000)

    assert [outbox.put(first), outbox.put(second)] == [0, 1]
    assert outbox.put(third) == 0
    assert outbox.take(10_000) == [second, third]
    assert [outbox.put(third), outbox.put(other)] == [0, 4]
    assert outbox.take(10_000) == [other]
    outbox.close()
    assert outbox.take(10_000) == []
