"""From records to scores and commits: at least once, harmless twice, whatever is away or broken."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_collector.evals.assembly import PanelMaker
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.config import EvaluatorEntry
from spanwise_collector.evals.evals_file import EvalsConfig, JudgeConfig
from spanwise_collector.evals.lanes import HELD_RECORDS, Work
from spanwise_collector.evals.loop import EvalLoop
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.evals.publish import Publisher
from spanwise_collector.evals.releases import Releases
from spanwise_collector.evals.rubric import Criterion, Rubric
from spanwise_collector.evals.runner import EvalsRunner
from spanwise_collector.evals.scores_out import CallOut, ScoreOut
from spanwise_collector.evals.stopping import Stopping
from spanwise_collector.evals.work import Worker
from spanwise_collector.ingest.pins import CommitPins
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.source import Partition, TransientSourceError
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import TransientStoreError
from spanwise_evaluators.model import Sample, Verdict
from tests.support.fake_log import FakeLog, FakeSource
from tests.support.judge_server import JudgeServer, Reply, judge_server, verdict
from tests.support.judging import judge_entry, make_world, prices
from tests.support.otlp import span, traces, transformer
from tests.support.receiving import MemoryLog
from tests.support.running import eventually

TOPIC = "otlp_spans"
RUBRIC = Rubric("", (Criterion("", "Is it good?"),))
PLACE = Partition(TOPIC, 0)
NOW_NS = 1_700_000_000_000 * 1_000_000


def spans_record(number: int, *, project: str = "shop", scope: str = "spanwise") -> bytes:
    """One record with one answered call."""
    return traces(
        span(
            "ask",
            {"gen_ai.operation.name": "chat", "input.value": "q", "output.value": f"answer {number}"},
            trace_id=number.to_bytes(16, "big"),
            start_ns=NOW_NS - 2_000_000_000,
            end_ns=NOW_NS - 1_000_000_000,
        ),
        resource={"spanwise.project": project, "service.name": "bot"},
        scope=scope,
    ).SerializeToString()


class Length:
    """An evaluator: how long the answer is."""

    name = "length"
    version = "1"

    def __call__(self, sample: Sample) -> Verdict | None:
        return Verdict(float(len(sample.output)))


class Broken:
    """An evaluator that fails."""

    name = "broken"
    version = "1"

    def __call__(self, sample: Sample) -> Verdict | None:
        raise ValueError("no")


class NoNumber:
    """An evaluator whose number is none."""

    name = "nan"
    version = "1"

    def __call__(self, sample: Sample) -> Verdict | None:
        return Verdict(float("nan"))


@dataclass
class World:
    """One topic, one writer, one store; collectors come and go."""

    database: Database
    endpoint: HttpEndpoint
    server: JudgeServer
    log: FakeLog = field(default_factory=FakeLog)
    writer: MemoryLog = field(default_factory=MemoryLog)
    makers: list[PanelMaker] = field(default_factory=list)
    outcomes: list[Outcomes] = field(default_factory=list)
    time: list[float] = field(default_factory=lambda: [0.0])

    def __post_init__(self) -> None:
        self.log.create(TOPIC)

    def worker(self, **fields: Any) -> Worker:
        """A worker of a process of its own."""
        config = EvalsConfig(
            evaluators=(
                (EvaluatorEntry(evaluator="length", project="shop"), Length()),
                (EvaluatorEntry(evaluator="broken", project="shop"), Broken()),
                (EvaluatorEntry(evaluator="nan", project="shop"), NoNumber()),
            ),
            judges=(JudgeConfig(judge_entry(self.server.url, **fields), RUBRIC),),
        )
        world = make_world(self.database, self.endpoint)
        self.makers.append(PanelMaker(lambda: config, world))
        self.outcomes.append(Outcomes(self.database, now=world.now, new_id=world.new_id))
        return Worker(
            transformer(prices()),
            self.makers[-1].current,
            Releases(self.database).first_seen,
            self.outcomes[-1],
            os.urandom,
        )

    def scores(self) -> list[dict[str, Any]]:
        """Everything that was written to the topic of logs, as attributes."""
        found = []
        for record in self.writer.records.get("otlp_logs", []):
            request = ExportLogsServiceRequest.FromString(record.value)
            for group in request.resource_logs:
                for entry in group.scope_logs[0].log_records:
                    said = {pair.key: _plain(pair.value) for pair in entry.attributes}
                    found.append({**said, "trace": int.from_bytes(entry.trace_id, "big")})
        return found

    def calls(self) -> list[str]:
        """Names of the spans that were written."""
        return [
            one.name
            for record in self.writer.records.get(TOPIC, [])
            for group in ExportTraceServiceRequest.FromString(record.value).resource_spans
            for one in group.scope_spans[0].spans
        ]

    def run(self, work: Work, *, until: Callable[[EvalLoop], bool], group: str = "g-evals") -> EvalLoop:
        """A collector that runs until something is so."""
        source = FakeSource(self.log, [TOPIC], group=group)
        with ThreadPoolExecutor(2) as executor:
            loop = EvalLoop(
                source=source,
                pins=CommitPins(source, code_version="1"),
                work=work,
                publisher=Publisher(self.writer, lambda: 0.0),
                executor=executor,
                clock=lambda: self.time[0],
            )

            def step() -> bool | None:
                self.time[0] += 1.0
                loop.step(0.01)
                return True if until(loop) else None

            eventually(step, what="what the loop should do")
        source.close()
        return loop

    def committed(self, group: str = "g-evals") -> int | None:
        """The group's offset."""
        found = self.log.groups.get(group)
        commit = None if found is None else found.committed.get(PLACE)
        return None if commit is None else commit.offset


def _plain(value: Any) -> Any:
    return getattr(value, value.WhichOneof("value"))


def caught_up(loop: EvalLoop) -> bool:
    """Whether all is done."""
    return loop.caught_up()


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A world with an endpoint that passes everything."""
    endpoint = HttpEndpoint()
    with judge_server() as server:
        world = World(database, endpoint, server)
        yield world
        endpoint.close()
        for maker in world.makers:
            maker.close()


def test_every_answer_gets_its_scores_and_is_committed(world: World) -> None:
    """Scores bear id, chance, evaluator, version; calls of the judge are traced; a failing evaluator only fails."""
    for number in range(1, 4):
        world.log.append(TOPIC, spans_record(number))
    loop = world.run(world.worker().work, until=caught_up)

    scores = world.scores()
    assert sorted((one["trace"], one["gen_ai.evaluation.name"]) for one in scores) == [
        (number, name) for number in range(1, 4) for name in ("helpful", "length")
    ]
    [judged] = [one for one in scores if one["trace"] == 1 and one["gen_ai.evaluation.name"] == "helpful"]
    assert judged == {
        "trace": 1,
        "gen_ai.evaluation.name": "helpful",
        "gen_ai.evaluation.score.value": 1.0,
        "gen_ai.evaluation.score.label": "pass",
        "gen_ai.evaluation.explanation": "It answers the question.",
        "spanwise.score.id": judged["spanwise.score.id"],
        "spanwise.score.source": "llm",
        "spanwise.score.evaluator": "helpful",
        "spanwise.score.evaluator_version": world.makers[0].current().judges[0].judge.version,
        "spanwise.score.inclusion_probability": 1.0,
    }
    assert world.calls() == ["judge helpful"] * 3
    assert (world.committed(), loop.counts.records, loop.counts.scores) == (3, 3, 6)
    assert world.outcomes[0].of("broken") == {"error:evaluator_failed": 3}
    assert world.outcomes[0].of("nan") == {"error:evaluator_failed": 3}
    assert world.outcomes[0].of("helpful") == {"scored": 3}


def test_read_again_it_is_the_same_scores_and_no_call(world: World) -> None:
    """Another group (or a lost commit) reads everything once more: the same ids, and nothing is paid for again."""
    for number in range(1, 4):
        world.log.append(TOPIC, spans_record(number))
    world.run(world.worker().work, until=caught_up)
    first = {one["spanwise.score.id"]: one for one in world.scores()}
    world.writer.records.clear()

    world.run(world.worker().work, until=caught_up, group="again-evals")

    assert {one["spanwise.score.id"]: one for one in world.scores()} == first
    assert len(world.server.requests) == 3
    assert world.calls() == []
    assert world.outcomes[1].of("helpful") == {"cached": 3}


def test_scores_of_other_projects_and_of_judges_are_not_made(world: World) -> None:
    """Only the project that is configured; spans of judges are passed by, whatever they are."""
    world.log.append(TOPIC, spans_record(1, project="other"))
    world.log.append(TOPIC, spans_record(2, project="shop-judge"))
    world.log.append(TOPIC, spans_record(3, scope="spanwise.evals"))
    world.run(world.worker().work, until=caught_up)

    assert world.scores() == []
    assert world.server.requests == []
    assert world.committed() == 3


def test_nothing_is_committed_before_scores_are_acknowledged(world: World) -> None:
    """While Kafka does not acknowledge, the offset stays, scores are sent again, and the judge is not asked again."""
    world.log.append(TOPIC, spans_record(1))
    world.writer.refusal = NotTakenError(Reason.AWAY, "away")
    stopped = world.run(world.worker().work, until=lambda loop: loop.counts.retries >= 2)
    assert world.committed() is None
    assert stopped.waiting == "away"

    world.writer.refusal = None
    world.run(world.worker().work, until=caught_up)
    assert world.committed() == 1
    assert len({one["spanwise.score.id"] for one in world.scores()}) == 2
    assert len(world.server.requests) == 1


def test_a_send_that_failed_loses_no_call(world: World) -> None:
    """What was judged is kept with its calls until it is sent: judging stays traced and priced."""
    world.log.append(TOPIC, spans_record(1))
    refusals = iter([NotTakenError(Reason.AWAY, "away")] * 2)

    def until(loop: EvalLoop) -> bool:
        world.writer.refusal = next(refusals, None) if loop.counts.retries else world.writer.refusal
        return loop.caught_up()

    world.writer.refusal = NotTakenError(Reason.AWAY, "away")
    world.run(world.worker().work, until=until)

    assert "judge helpful" in world.calls()
    assert len(world.server.requests) == 1


def test_a_store_that_is_away_stops_nothing_for_ever(world: World) -> None:
    """The batch is tried again until the budget's ledger answers."""
    world.log.append(TOPIC, spans_record(1))
    work, failures = world.worker().work, iter(range(2))

    def away(records: Sequence[Record], calls: list[CallOut]) -> list[ScoreOut]:
        if next(failures, None) is not None:
            raise TransientStoreError("away")
        return work(records, calls)

    loop = world.run(away, until=caught_up)
    assert (loop.counts.retries, loop.counts.skipped, world.committed()) == (2, 0, 1)
    assert len(world.scores()) == 2


def test_a_batch_that_cannot_be_done_is_left_out_and_counted(world: World) -> None:
    """After three tries the others go on."""
    world.log.append(TOPIC, spans_record(1))

    def bug(_records: Sequence[Record], _calls: list[CallOut]) -> list[ScoreOut]:
        raise RuntimeError("bug")

    loop = world.run(bug, until=caught_up)
    assert (loop.counts.skipped, loop.counts.retries, world.committed()) == (1, 2, 1)


def test_records_that_are_no_spans_are_passed_by(world: World) -> None:
    """What ingest refuses is no concern of evals."""
    world.log.append(TOPIC, b"nonsense")
    world.log.append(TOPIC, None)
    world.log.append(TOPIC, spans_record(1))
    world.run(world.worker().work, until=caught_up)
    assert world.committed() == 3
    assert len(world.scores()) == 2


def test_what_kafka_deleted_is_counted_and_passed_by(world: World) -> None:
    """A retention that is shorter than the outage loses scores, visibly, and stops nothing."""
    for number in range(1, 5):
        world.log.append(TOPIC, spans_record(number))
    world.run(world.worker().work, until=lambda loop: loop.counts.records >= 4)
    for number in range(5, 9):
        world.log.append(TOPIC, spans_record(number))
    world.log.trim(PLACE, 6)
    loop = world.run(world.worker().work, until=caught_up)
    assert (loop.counts.lost, loop.counts.records, world.committed()) == (2, 2, 8)


def test_a_hanging_endpoint_fills_no_memory(world: World) -> None:
    """While judges hang, polling goes on and reading waits in Kafka, so that membership and memory last."""
    release = threading.Event()
    for number in range(1, HELD_RECORDS * 3):
        world.log.append(TOPIC, spans_record(number))
    held: list[int] = []

    def hang(_records: Sequence[Record], _calls: list[CallOut]) -> list[ScoreOut]:
        release.wait(60)
        return []

    polls = itertools.count()

    def until(loop: EvalLoop) -> bool:
        [lane] = loop._lanes.values() or [None]
        held.append(len(lane.waiting) if lane is not None else 0)
        if next(polls) == 50:
            release.set()
        return loop.caught_up()

    world.run(hang, until=until)
    # One poll may bring more than is wanted; then it is enough.
    assert max(held) <= HELD_RECORDS + 500
    assert world.committed() == HELD_RECORDS * 3 - 1


def test_when_the_budget_is_spent_targets_are_skipped_and_counted(world: World) -> None:
    """The code evaluator goes on, the judge does not, and how many were skipped is told."""
    world.server.answer = lambda _body: replace(verdict(), tokens=(300_000, 200))
    for number in range(1, 8):
        world.log.append(TOPIC, spans_record(number))
    world.run(world.worker(usd_per_day=0.01, concurrency=1).work, until=caught_up)

    told = world.outcomes[0].of("helpful")
    assert told["skipped_budget"] + told["scored"] == 7
    assert told["skipped_budget"] >= 5
    assert sum(one["gen_ai.evaluation.name"] == "length" for one in world.scores()) == 7
    assert len(world.server.requests) == told["scored"]


def test_errors_are_counted_with_their_message_and_are_no_scores(world: World) -> None:
    """An endpoint that answers nonsense leaves an error per target, and its calls are traced with it."""
    world.server.plan(Reply("nonsense"))
    world.log.append(TOPIC, spans_record(1))
    world.run(world.worker().work, until=caught_up)

    assert [one["gen_ai.evaluation.name"] for one in world.scores()] == ["length"]
    assert world.outcomes[0].of("helpful") == {"error:not_json": 1}
    assert world.calls() == ["judge helpful"]


def test_two_collectors_share_the_partitions(world: World) -> None:
    """While members come and go every answer is scored, and each has one id however often it was worked on."""
    world.log.topics.clear()
    world.log.create(TOPIC, partitions=2)
    for number in range(1, 41):
        world.log.append(TOPIC, spans_record(number), partition=number % 2)
    others: list[FakeSource] = []
    polls = itertools.count()

    def until(loop: EvalLoop) -> bool:
        poll = next(polls)
        if poll == 3:
            others.append(FakeSource(world.log, [TOPIC], group="g-evals"))
        if poll == 9:
            others[0].close()
        return poll > 12 and loop.caught_up() and len(loop._lanes) == 2

    world.run(world.worker().work, until=until)
    assert {one["trace"] for one in world.scores()} == set(range(1, 41))
    assert len({one["spanwise.score.id"] for one in world.scores()}) == 80
    assert len(world.server.requests) == 40


def test_a_broker_that_is_away_at_first_is_waited_for(world: World) -> None:
    """The role connects again and again, says what it waits for, and then scores; a stop ends it."""
    world.log.append(TOPIC, spans_record(1))
    failures = iter(range(2))
    told: list[str] = []

    def connect() -> tuple[FakeSource, CommitPins]:
        told.append(runner.status().waiting)
        if next(failures, None) is not None:
            raise TransientSourceError("nobody answers")
        source = FakeSource(world.log, [TOPIC], group="g-evals")
        return source, CommitPins(source, code_version="1")

    stopping = Stopping()
    runner = EvalsRunner(
        connect=connect,
        work=world.worker().work,
        publisher=Publisher(world.writer, lambda: 0.0),
        stopping=stopping,
        cut=lambda: None,
        clock=time.monotonic,
        again_s=0.01,
    )
    runner.start()
    eventually(lambda: world.committed(), what="the commit")
    runner.stop(30.0, drain=True)

    assert told == ["", *["Kafka does not answer. Trying again. (nobody answers)"] * 2]
    assert (runner.status().running, runner.status().lag, runner.status().counts.scores) == (False, 0, 2)
    assert {metric.name for metric in runner.collect()} >= {"spanwise_evals_up", "spanwise_evals_lag"}
