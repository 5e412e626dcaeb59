"""The demo's made-up history."""

import math
from datetime import UTC, datetime, timedelta

from bench.traffic import Request
from examples.support_bot.history import (
    DAYS,
    GROUP_HOURS_AGO,
    PROMPT_HOURS_AGO,
    PROVIDER_HOURS_AGO,
    made_requests,
    make_traces,
)
from examples.support_bot.made import MadeTrace
from examples.support_bot.otlp import WireRecord, records
from examples.support_bot.reviews import JUDGED, NAME, REVIEWERS
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_schemas.wire import MAX_RECORD_BYTES, Envelope, partition_for

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRACES = 2000


def _made() -> list[MadeTrace]:
    return list(make_traces(seed=7, until=UNTIL, traces=TRACES))


def _records(partitions: int = 2) -> list[WireRecord]:
    return list(records(_made(), project="p", partitions=partitions, run="7"))


def test_the_same_seed_makes_the_same_history() -> None:
    """Seed, end and number decide everything."""
    assert _made() == _made()


def test_every_trace_lies_in_the_four_weeks_and_inside_its_root() -> None:
    """Nothing is in the future or older than four weeks, a root covers what is below, there are as many as asked."""
    earliest, latest = ((UNTIL - timedelta(days=DAYS)).timestamp() * 1e9, UNTIL.timestamp() * 1e9)
    made = _made()
    for trace in made:
        root, *below = trace.spans
        assert earliest <= root.start_ns <= root.end_ns <= latest
        assert all(root.start_ns <= span.start_ns <= span.end_ns <= root.end_ns for span in below)
        assert {span.parent_id for span in below} <= {span.span_id for span in trace.spans}
    assert len(made) == TRACES


def test_three_things_got_worse_and_only_these() -> None:
    """The new prompt declines more, Mistral is slower, the enterprise group sends more; the others are as they were."""
    made = made_requests(seed=7, until=UNTIL, count=20_000)

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    def since(hours: float, dimension: str) -> dict[tuple[bool, str], list[Request]]:
        groups: dict[tuple[bool, str], list[Request]] = {}
        for one in made:
            after = one.time >= UNTIL - timedelta(hours=hours)
            groups.setdefault((after, one.dimensions[dimension]), []).append(one)
        return groups

    prompts = since(PROMPT_HOURS_AGO, "prompt_version")
    refusals = {key: mean([one.refusal for one in found]) for key, found in prompts.items()}
    assert (False, "v9") not in refusals
    assert refusals[True, "v9"] > 8 * refusals[False, "v7"]
    assert refusals[True, "v7"] < 2 * refusals[False, "v7"]

    models = since(PROVIDER_HOURS_AGO, "model")
    latency = {key: mean([math.log(one.latency_ms) for one in found]) for key, found in models.items()}
    slower = {model: math.exp(latency[True, model] - latency[False, model]) for _, model in latency}
    assert 2.2 < slower["mistral-small"] < 2.9
    assert 0.85 < slower["gpt-4.1-mini"] < 1.15

    groups = since(GROUP_HOURS_AGO, "user_group")
    cost = {key: mean([one.cost_usd for one in found]) for key, found in groups.items()}
    assert cost[True, "enterprise"] > 5 * cost[False, "enterprise"]
    assert 0.8 < cost[True, "free"] / cost[False, "free"] < 1.2


def test_records_keep_to_the_wire_format() -> None:
    """Records are small enough, each holds traces of one partition, and each producer numbers them without gaps."""
    numbers: dict[str, list[int]] = {}
    made = _records()
    for record in made:
        envelope = Envelope.from_headers(record.headers)
        assert envelope is not None
        numbers.setdefault(envelope.producer, []).append(envelope.seq)
        assert (partition_for(record.key, 2), envelope.spans) == (record.partition, record.items)
        assert len(record.value) < MAX_RECORD_BYTES

    assert numbers == {producer: list(range(len(seqs))) for producer, seqs in numbers.items()}


def test_the_collector_takes_all_of_it() -> None:
    """Every span and score becomes a row, priced where it is a model call, without one refusal or warning."""
    transformer = Transformer(prices=PriceBook())
    stored = refused = flagged = 0
    for record in _records():
        kafka = Record(
            topic=record.topic,
            topic_id="t",
            partition=record.partition,
            offset=0,
            timestamp_ms=int(UNTIL.timestamp() * 1000),
            key=record.key,
            value=record.value,
            headers=tuple(record.headers),
        )
        batch = transformer.transform([kafka], frozenset())
        stored += batch.spans + batch.scores
        refused += batch.rejected
        flagged += batch.warnings

    made = _made()
    expected = sum(len(trace.spans) + len(trace.scores) for trace in made)
    assert (stored, refused, flagged) == (expected, 0, 0)


def test_a_kind_judge_and_reviewers_have_looked_at_a_share() -> None:
    """A fifth is judged and some of that reviewed, each with its chance; they agree mostly, and not always."""
    made = [trace for trace in _made() if trace.environment == "production"]
    of_traces = [[score for score in trace.scores if score.name == NAME] for trace in made]
    scores = [score for found in of_traces for score in found]
    judged = {score.score_id: score for score in scores if score.source == "llm"}
    reviewed = [score for score in scores if score.source == "human"]

    assert len({score.score_id for score in scores}) == len(scores)
    assert 0.15 < len(judged) / len(made) < 0.22
    assert 0.1 < len(reviewed) / len(judged) < 0.3
    assert {score.inclusion for score in judged.values()} == {JUDGED}
    assert {score.evaluator for score in reviewed} <= set(REVIEWERS)
    agree = [found[0].value == found[1].value for found in of_traces if len(found) == 2]
    assert 0.8 < sum(agree) / len(agree) < 1
