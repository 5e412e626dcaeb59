"""Anchors: judged again at a steady drip by one of all processes, apart from scores, and what they tell."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.evals.anchor_change import Interval, Run, agreement, bias, change, finding, sentence
from spanwise_collector.evals.anchor_items import Anchor
from spanwise_collector.evals.anchors import AnchorRound, slots
from spanwise_collector.evals.assembly import PanelMaker
from spanwise_collector.evals.chat_http import HttpEndpoint
from spanwise_collector.evals.evals_file import EvalsConfig, JudgeConfig
from spanwise_collector.evals.judges_query import anchor_reports
from spanwise_collector.evals.outcomes import Outcomes
from spanwise_collector.evals.publish import Publisher
from spanwise_collector.evals.rubric import Criterion, Rubric
from spanwise_collector.store.database import Database
from spanwise_evaluators.model import Sample
from tests.support.judge_server import JudgeServer, Reply, judge_server, verdict
from tests.support.judging import NOON, judge_entry, make_world
from tests.support.receiving import MemoryLog

ANCHORS = tuple(Anchor(f"a{number}", Sample(output=f"item {number}"), float(number % 2)) for number in range(3))
RUBRIC = Rubric("", (Criterion("", "Is it good?"),))
DAY = timedelta(days=1)


class Drip:
    """Rounds of one process, with a clock that is set by hand."""

    def __init__(
        self, database: Database, endpoint: HttpEndpoint, times: list[datetime], url: str, **fields: Any
    ) -> None:
        entry = judge_entry(url, **{"anchors": "a.jsonl", "anchors_per_day": 24, **fields})
        config = EvalsConfig(judges=(JudgeConfig(entry, RUBRIC, ANCHORS),))
        world = make_world(database, endpoint, now=lambda: times[0])
        self.maker = PanelMaker(lambda: config, world)
        self.outcomes = Outcomes(database, now=world.now, new_id=world.new_id)
        self.writer = MemoryLog()
        self.round = AnchorRound(
            database,
            lambda: config,
            self.maker.current,
            self.outcomes,
            Publisher(self.writer, lambda: 0.0),
            owner=world.new_id(),
            now=world.now,
            random_bytes=os.urandom,
        )

    def step(self) -> Mapping[str, int]:
        """One round."""
        return self.round.step()


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


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 (the zone is added)
    st.lists(st.floats(0, 0.3), min_size=1, max_size=6),
    st.integers(1, 200),
)
def test_each_slot_comes_once_however_time_is_cut(start: datetime, days: list[float], per_day: int) -> None:
    """Looks at adjoining stretches of time find together what one look at all of it finds."""
    since = start.replace(tzinfo=NOON.tzinfo)
    at, found = since, []
    for part in days:
        found += list(slots(at, at + timedelta(days=part), per_day))
        at += timedelta(days=part)
    assert found == list(slots(since, at, per_day))
    assert len({number for number, _ in found}) == len(found)


def test_anchors_are_judged_by_one_process_at_a_steady_drip(
    database: Database, server: JudgeServer, endpoint: HttpEndpoint
) -> None:
    """One anchor an hour, whoever looks, in turn, always asked anew; a long pause is not made up for."""
    times = [NOON - timedelta(minutes=5)]
    drips = [Drip(database, endpoint, times, server.url) for _ in range(2)]
    judged = []
    for minutes in (0, 6, 1, 60, 60, 60, 600):
        times[0] += timedelta(minutes=minutes)
        judged.append(sum(drip.step()["judged"] for drip in drips))

    assert judged == [0, 1, 0, 1, 1, 1, 1]
    rows = database.query(
        "SELECT anchor_id, human, value, label, reason, slot FROM judge_anchors FINAL ORDER BY slot"
    ).rows
    assert [row[1:5] for row in rows] == [(rows[at][1], 1.0, "pass", "It answers the question.") for at in range(5)]
    assert len({row[0] for row in rows[:3]}) == 3, "in turn"
    assert rows[3][0] == rows[0][0]
    assert len(server.requests) == 5, "the same item is asked again"
    assert sum(len(drip.writer.records.get("otlp_spans", [])) for drip in drips) == 5
    assert all("otlp_logs" not in drip.writer.records for drip in drips), "no score comes of it"
    for drip in drips:
        drip.maker.close()


def test_an_anchor_that_fails_leaves_an_error_and_no_row(
    database: Database, server: JudgeServer, endpoint: HttpEndpoint
) -> None:
    """Errors and an empty budget are counted apart from those of targets."""
    times = [NOON]
    server.plan(Reply("nonsense"))
    failing = Drip(database, endpoint, times, server.url)
    assert failing.step() == {"judged": 0}
    poor = Drip(database, endpoint, times, server.url, name="poor", usd_per_day=0.000001)
    assert poor.step() == {"judged": 0}

    assert failing.outcomes.of("helpful") == {"anchor_error:not_json": 1}
    assert poor.outcomes.of("poor") == {"anchor_skipped_budget": 1}
    assert database.query("SELECT count() FROM judge_anchors").rows == [(0,)]
    failing.maker.close()
    poor.maker.close()


def runs(first: list[float], late: list[float], human: float = 1.0) -> list[Run]:
    """First verdicts of some anchors, and late ones."""
    return [
        *(Run(f"a{at}", NOON - 30 * DAY, human, value) for at, value in enumerate(first)),
        *(Run(f"a{at}", NOON, human, value) for at, value in enumerate(late)),
    ]


def test_a_judge_that_moved_is_told_apart_from_one_that_stands_still() -> None:
    """Of forty items: none moved is steady, twelve moved is a change, one moved is neither."""
    same = change(runs([1.0] * 40, [1.0] * 40), NOON - DAY)
    moved = change(runs([1.0] * 40, [0.0] * 12 + [1.0] * 28), NOON - DAY)
    slightly = change(runs([1.0] * 40, [0.0] * 3 + [1.0] * 37), NOON - DAY)

    assert same == Interval(0.0, -0.075, 0.075, 40)
    assert finding(same) == "steady"
    assert moved is not None
    assert (round(moved.value, 3), finding(moved)) == (-0.3, "changed")
    assert moved.high < 0 < moved.value + 1
    assert finding(slightly) == "not_enough"
    assert sentence(moved, 40).startswith("The judge has changed: on the same 40 items its verdicts moved by -0.30")
    assert sentence(same, 40).startswith("The judge stands still")


@pytest.mark.parametrize("n", [0, 1, 5, 9])
def test_few_items_prove_nothing(n: int) -> None:
    """Below ten items nothing is said, even when all of them moved."""
    moved = change(runs([1.0] * n, [0.0] * n), NOON - DAY)
    assert finding(moved) == "not_enough"
    assert sentence(moved, n) == f"Not enough to tell: {n} of {n} items were judged again, about 10 are needed."


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=60)
)
def test_an_interval_holds_its_estimate(pairs: list[tuple[float, float]]) -> None:
    """Whatever the verdicts, low <= value <= high, within -1 and 1, and not narrower than 3/n allows."""
    found = change(runs([one for one, _ in pairs], [two for _, two in pairs]), NOON - DAY)
    assert found is not None
    assert -1 <= found.low <= found.value <= found.high <= 1
    assert found.n == len(pairs)
    assert found.high - found.value >= min(3 / found.n, 1 - found.value) - 1e-9


def test_people_and_judge_are_compared() -> None:
    """Nine of ten verdicts are people's: Wilson's interval of 0.9 is 0.596 to 0.982; the judge is 0.1 below people."""
    late = runs([1.0] * 10, [0.0] + [1.0] * 9)
    found, off = agreement(late, NOON - DAY), bias(late, NOON - DAY)
    assert found is not None
    assert off is not None
    assert (found.value, round(found.low, 3), round(found.high, 3), found.n) == (0.9, 0.596, 0.982, 10)
    assert (round(off.value, 3), off.n) == (-0.1, 10)
    assert agreement(runs([0.5], [0.5]), NOON - DAY) is None, "grades have no such share"


def test_the_report_is_of_the_newest_version_and_of_one_project(
    database: Database, server: JudgeServer, endpoint: HttpEndpoint
) -> None:
    """Another rubric begins anew, and another project's anchors are never shown."""
    times = [NOON]
    for fields in ({}, {"project": "other"}, {"scale": "graded"}):
        server.plan(verdict(5 if fields.get("scale") else "pass"))
        drip = Drip(database, endpoint, times, server.url, **fields)
        assert drip.step() == {"judged": 1}
        drip.maker.close()
        times[0] += timedelta(hours=1)

    [found] = anchor_reports(database, "shop", NOON - DAY, 10.0).items
    assert (found.judge, found.model, found.n_items, found.n_runs, found.finding) == (
        "helpful",
        "judge-1",
        1,
        1,
        "not_enough",
    )
    assert anchor_reports(database, "nobody", NOON - DAY, 10.0).items == []
