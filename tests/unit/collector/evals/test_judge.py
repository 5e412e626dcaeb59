"""A judge against a real endpoint that answers well, badly, late, or not at all."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from spanwise_collector.evals.assembly import PanelMaker
from spanwise_collector.evals.budget import read_day
from spanwise_collector.evals.calls import BudgetSpentError, JudgeError
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.config import JudgeEntry
from spanwise_collector.evals.evals_file import EvalsConfig, JudgeConfig
from spanwise_collector.evals.judge import Judge
from spanwise_collector.evals.rubric import Criterion, Rubric
from spanwise_collector.store.database import Database
from spanwise_evaluators.model import Document, Sample, Verdict
from tests.support.judge_server import (
    JudgeServer,
    Reply,
    judge_server,
    rate_limited,
    server_error,
    verdict,
)
from tests.support.judging import NOON, Waits, charged_n, judge_entry, make_world

RUBRIC = Rubric("", (Criterion("", "Does the answer help?"),))
SAMPLE = Sample(input="Where is my order?", output="It is on its way.", context=(Document("Order 7: shipped", "d1"),))


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    """An endpoint."""
    with judge_server() as server:
        yield server


@pytest.fixture
def endpoint() -> Iterator[HttpEndpoint]:
    """The real client."""
    endpoint = HttpEndpoint()
    yield endpoint
    endpoint.close()


class Bench:
    """Makes judges on one store and endpoint."""

    def __init__(self, database: Database, endpoint: HttpEndpoint) -> None:
        self.waits = Waits()
        self.database = database
        self.endpoint = endpoint
        self.makers: list[PanelMaker] = []

    def judge(self, entry: JudgeEntry, rubric: Rubric = RUBRIC, **changes: Any) -> Judge:
        """A judge as the role makes it, of a process of its own."""
        world = make_world(self.database, self.endpoint, wait=self.waits, **changes)
        config = EvalsConfig(judges=(JudgeConfig(entry, rubric),))
        maker = PanelMaker(lambda: config, world)
        self.makers.append(maker)
        return maker.current().judges[0].judge


@pytest.fixture
def bench(database: Database, endpoint: HttpEndpoint) -> Iterator[Bench]:
    """Makes judges; what is left in their purses goes back at the end."""
    bench = Bench(database, endpoint)
    yield bench
    for maker in bench.makers:
        maker.close()


def failure(judge: Judge, sample: Sample = SAMPLE) -> JudgeError:
    """The error that judging ends with."""
    with pytest.raises(JudgeError) as caught:
        judge.judge(sample)
    return caught.value


def test_a_verdict_comes_with_its_reason_and_its_price(server: JudgeServer, bench: Bench) -> None:
    """The request wants the reason before the verdict, at temperature 0; the answer is a score, paid by real usage."""
    judge = bench.judge(judge_entry(server.url, api_key_env="KEY"), environ={"KEY": "s3cret"})

    found = judge.judge(SAMPLE)

    assert found is not None
    assert found.verdicts == {"helpful": Verdict(1.0, "pass", "It answers the question.")}
    [call] = found.calls
    assert call.cost_n == charged_n(server.charged)
    [body] = server.requests
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0, 200, "judge-1")
    form = body["response_format"]["json_schema"]
    assert form["strict"] is True
    assert list(form["schema"]["properties"]["answer"]["properties"]) == ["reason", "verdict"]
    assert json.loads(body["messages"][1]["content"]) == {
        "input": "Where is my order?",
        "context": [{"id": "d1", "text": "Order 7: shipped"}],
        "output": "It is on its way.",
    }
    assert server.headers[0]["Authorization"] == "Bearer s3cret"


def test_what_was_judged_once_is_not_paid_for_again(server: JudgeServer, bench: Bench) -> None:
    """The same content, up to blanks at line ends, has the same verdict without a call, in other processes too."""
    server.plan(verdict("fail", "No."))
    first = bench.judge(judge_entry(server.url)).judge(SAMPLE)
    again = bench.judge(judge_entry(server.url)).judge(replace(SAMPLE, output="It is on its way. \r\n"))

    assert first is not None
    assert again is not None
    assert again.verdicts == first.verdicts == {"helpful": Verdict(0.0, "fail", "No.")}
    assert again.calls == ()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"project": "other"},
        {"model": "gpt-4.1-mini", "provider": "openai"},
        {"scale": "graded"},
    ],
)
def test_another_judge_knows_nothing_of_it(server: JudgeServer, bench: Bench, change: dict[str, Any]) -> None:
    """Verdicts are not shared between projects, models, or scales."""
    bench.judge(judge_entry(server.url)).judge(SAMPLE)
    server.plan(verdict(3 if "scale" in change else "pass"))

    found = bench.judge(judge_entry(server.url, **change)).judge(SAMPLE)

    assert found is not None
    assert len(found.calls) == 1


def test_another_rubric_is_another_version(server: JudgeServer, bench: Bench) -> None:
    """A changed question makes another version, which judges anew."""
    entry = judge_entry(server.url)
    one = bench.judge(entry)
    two = bench.judge(entry, Rubric("", (Criterion("", "Is the answer polite?"),)))
    one.judge(SAMPLE)
    two.judge(SAMPLE)

    assert one.version != two.version
    assert len(server.requests) == 2


def test_grades_go_from_0_to_1(server: JudgeServer, bench: Bench) -> None:
    """Grade 4 of 5 is 0.75 and says so; every criterion of a rubric has its own score."""
    rubric = Rubric("About a shop.", (Criterion("tone", "Is it kind?"), Criterion("facts", "Is it true?")))
    server.plan(Reply(json.dumps({"tone": {"reason": "a", "verdict": 4}, "facts": {"reason": "b", "verdict": "1"}})))

    found = bench.judge(judge_entry(server.url, scale="graded"), rubric).judge(SAMPLE)

    assert found is not None
    assert found.verdicts == {
        "helpful.tone": Verdict(0.75, "4/5", "a"),
        "helpful.facts": Verdict(0.0, "1/5", "b"),
    }


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(raw=b"<html>gateway</html>"), "not_json"),
        (Reply(raw=b"[1, 2]"), "wrong_shape"),
        (Reply(raw=b'{"choices": []}'), "wrong_shape"),
        (Reply(raw=b'{"choices": [{"message": null}]}'), "wrong_shape"),
        (Reply("The answer is good. I would say pass."), "not_json"),
        (Reply('{"answer": {"reason": "x", "verdict": "pa'), "not_json"),
        (Reply('{"answer": {"reason": "x", "verdict": "maybe"}}'), "wrong_shape"),
        (Reply('{"answer": {"verdict": "pass"}}'), "wrong_shape"),
        (Reply('{"answer": {"reason": "x"}}'), "wrong_shape"),
        (Reply('{"answer": "pass"}'), "wrong_shape"),
        (Reply('{"answer": {"reason": "x", "verdict": 1}}'), "wrong_shape"),
        (Reply('{"a": 1} {"answer": {"reason": "x", "verdict": "pass"}}'), "wrong_shape"),
        (Reply(refusal="I cannot judge that."), "refused"),
        (Reply("", finish="content_filter"), "refused"),
        (Reply('{"answer": {"reason": "very lo', finish="length"), "truncated"),
        (Reply(""), "wrong_shape"),
        (Reply(raw=b"no such model", status=404, charges=False), "bad_request"),
        (Reply(raw=b"who are you?", status=401, charges=False), "no_access"),
        (Reply(raw=b"", status=302, headers=(("Location", "/elsewhere"),), charges=False), "bad_request"),
    ],
)
def test_a_bad_answer_is_an_error_and_never_a_score(server: JudgeServer, bench: Bench, reply: Reply, kind: str) -> None:
    """Whatever cannot be read as a verdict is told apart by its class, and not asked for again."""
    server.plan(reply)
    judge = bench.judge(judge_entry(server.url))

    error = failure(judge)

    assert error.kind == kind
    assert len(server.requests) == 1
    assert [call.error for call in error.calls] == [kind]
    assert error.calls[0].cost_n >= charged_n(server.charged)
    server.plan(verdict())
    assert judge.judge(SAMPLE) is not None, "nothing of it went into the cache"


@pytest.mark.parametrize(
    "content",
    [
        '```json\n{"answer": {"reason": "x", "verdict": "PASS"}}\n```',
        'Here it is: {"answer": {"reason": "x", "verdict": " pass "}} Done.',
        '{"reason": "x", "verdict": true}',
    ],
)
def test_wrapping_is_forgiven(server: JudgeServer, bench: Bench, content: str) -> None:
    """Fences, words around the object, other cases and a missing outer key do not spoil a clear verdict."""
    server.plan(Reply(content))

    found = bench.judge(judge_entry(server.url, response_format="none")).judge(SAMPLE)

    assert found is not None
    assert found.verdicts == {"helpful": Verdict(1.0, "pass", "x")}


def test_a_busy_endpoint_is_asked_again_as_late_as_it_wants(server: JudgeServer, bench: Bench) -> None:
    """429 and 500 are tried again, `Retry-After` is kept, and each attempt is told of."""
    server.plan(rate_limited("7"), server_error(), verdict())

    found = bench.judge(judge_entry(server.url)).judge(SAMPLE)

    assert found is not None
    assert bench.waits.waited == [7.0, 1.0]
    assert [call.error for call in found.calls] == ["rate_limited", "server_error", ""]
    assert found.calls[0].cost_n == 0


def test_attempts_end(server: JudgeServer, bench: Bench) -> None:
    """After the configured attempts it is an error; a wait that is too long is not waited."""
    server.plan(server_error(503))
    error = failure(bench.judge(judge_entry(server.url, attempts=2)))
    assert (error.kind, len(error.calls)) == ("server_error", 2)

    server.plan(rate_limited("3600"))
    error = failure(bench.judge(judge_entry(server.url)))
    assert (error.kind, len(error.calls)) == ("rate_limited", 1)


@pytest.mark.parametrize("reply", [Reply(hang=True), replace(verdict(), drip=True)])
def test_an_endpoint_that_hangs_is_left(server: JudgeServer, bench: Bench, reply: Reply) -> None:
    """A call ends when its time is over, also in the middle of an answer, and counts with the most it may have cost."""
    server.plan(reply)

    error = failure(bench.judge(judge_entry(server.url, timeout_seconds=0.3, attempts=2)))

    assert error.kind == "timeout"
    assert len(error.calls) == 2
    assert sum(call.cost_n for call in error.calls) >= charged_n(server.charged) > 0


def test_an_endpoint_that_is_away_costs_nothing(bench: Bench) -> None:
    """Where nobody listens, nothing is spent."""
    error = failure(bench.judge(judge_entry("http://127.0.0.1:9", attempts=2)))

    assert error.kind == "away"
    assert [call.cost_n for call in error.calls] == [0, 0]


def test_a_connection_that_breaks_is_tried_again(server: JudgeServer, bench: Bench) -> None:
    """What breaks off may have been charged for."""
    server.plan(Reply(cut=True), verdict())

    found = bench.judge(judge_entry(server.url)).judge(SAMPLE)

    assert found is not None
    assert [call.error for call in found.calls] == ["broken_answer", ""]
    assert sum(call.cost_n for call in found.calls) >= charged_n(server.charged)


def test_secrets_are_not_repeated(server: JudgeServer, bench: Bench) -> None:
    """An endpoint that echoes the key does not bring it into errors; a key that is not there is said to be missing."""
    server.plan(Reply(raw=b"bad key s3cret", status=401, charges=False))
    entry = judge_entry(server.url, api_key_env="KEY")

    assert "s3cret" not in failure(bench.judge(entry, environ={"KEY": "s3cret"})).calls[0].detail
    missing = failure(bench.judge(entry))
    assert (missing.kind, "KEY is not set" in str(missing)) == ("no_access", True)


def test_what_is_too_long_is_not_sent(server: JudgeServer, bench: Bench) -> None:
    """Nothing is cut to fit: a verdict on half an answer would be none."""
    error = failure(bench.judge(judge_entry(server.url, max_input_chars=100)), Sample(output="x" * 101))

    assert error.kind == "too_long"
    assert server.requests == []


def test_no_answer_is_nothing_to_judge(server: JudgeServer, bench: Bench) -> None:
    """A span without output is not sent to a judge."""
    assert bench.judge(judge_entry(server.url)).judge(Sample(input="Hello?")) is None
    assert server.requests == []


PAIR = replace(SAMPLE, attributes={"shadow": "It is lost."})


def pair(body: dict[str, Any], wins: str) -> Reply:
    """The verdict of a judge for whom one answer wins, wherever it stands."""
    shown = json.loads(body["messages"][1]["content"])
    said = "tie" if wins == "" else "first" if shown["first_answer"] == wins else "second"
    return verdict(said, f"I like {wins}.")


@pytest.mark.parametrize(
    ("wins", "expected"), [(SAMPLE.output, (1.0, "win")), ("It is lost.", (0.0, "loss")), ("", (0.5, "tie"))]
)
def test_a_pair_is_judged_in_both_orders(
    server: JudgeServer, bench: Bench, wins: str, expected: tuple[float, str]
) -> None:
    """Who wins in both orders has won."""
    server.answer = lambda body: pair(body, wins)

    found = bench.judge(judge_entry(server.url, mode="pairwise", against="shadow")).judge(PAIR)

    assert found is not None
    verdict_of = found.verdicts["helpful"]
    assert (verdict_of.value, verdict_of.label) == expected
    assert found.disagreed == ()
    shown = [json.loads(body["messages"][1]["content"]) for body in server.requests]
    assert [(one["first_answer"], one["second_answer"]) for one in shown] == [
        (SAMPLE.output, "It is lost."),
        ("It is lost.", SAMPLE.output),
    ]


def test_who_wins_only_in_front_has_not_won(server: JudgeServer, bench: Bench) -> None:
    """A judge that always prefers the first answer gives a tie, which is counted."""
    server.plan(verdict("first", "The first is better."))

    found = bench.judge(judge_entry(server.url, mode="pairwise", against="shadow")).judge(PAIR)

    assert found is not None
    assert (found.verdicts["helpful"].value, found.verdicts["helpful"].label) == (0.5, "tie")
    assert found.disagreed == ("helpful",)


def test_half_a_pair_is_no_verdict(server: JudgeServer, bench: Bench) -> None:
    """Where one order fails there is no score; both calls are told of, and the good one is not paid for again."""
    server.plan(verdict("first"), Reply("nonsense"))
    judge = bench.judge(judge_entry(server.url, mode="pairwise", against="shadow"))
    assert len(failure(judge, PAIR).calls) == 2

    server.plan(verdict("second"))
    found = judge.judge(PAIR)
    assert found is not None
    assert (found.verdicts["helpful"].label, len(found.calls)) == ("win", 1)


def test_an_endpoint_that_overcharges_ends_the_day(server: JudgeServer, bench: Bench, database: Database) -> None:
    """More tokens than were allowed are taken from the day's limit, which ends judging visibly."""
    server.plan(replace(verdict(), tokens=(20_000_000, 200)))
    judge = bench.judge(judge_entry(server.url))

    found = judge.judge(SAMPLE)

    assert found is not None
    assert found.calls[0].cost_n == charged_n(server.charged) > found.calls[0].held_n
    with pytest.raises(BudgetSpentError):
        judge.judge(replace(SAMPLE, output="Something else."))
    assert len(server.requests) == 1
    bench.makers[0].close()
    assert read_day(database, "shop", "helpful", NOON.date()).spent_n == charged_n(server.charged)
