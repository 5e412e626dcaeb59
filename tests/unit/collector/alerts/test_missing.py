"""Data that was sent and is not there: what fires, for how long, and what does not."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.alerts.backtest import back_test
from spanwise_collector.alerts.engine import LAG_S
from spanwise_collector.alerts.evaluate import evaluator_of
from spanwise_collector.alerts.evaluate.base import RuleError
from spanwise_collector.alerts.evaluate.missing import followed
from spanwise_collector.store.database import Database
from spanwise_schemas.rules import RULE
from tests.support.rows import T0, Span
from tests.support.sql_evals import arrived
from tests.unit.collector.alerts.world import DAY, FIVE, HOUR, World, rule

LATE = timedelta(seconds=LAG_S)
T = T0 + 2 * HOUR
TESTED = rule(type="missing_data")
PRODUCED = (
    "INSERT INTO producers (producer, project_id, service, n_records, n_spans, max_seq, dropped, first_ts, last_ts) "
    "SELECT {id:String}, {project:String}, {service:String}, {n:UInt64}, {n:UInt64}, {last:UInt64}, {dropped:UInt64}, "
    "toDateTime64({at:UInt32}, 3, 'UTC'), toDateTime64({at:UInt32}, 3, 'UTC')"
)


def produced(
    database: Database,
    producer: str,
    records: int,
    last: int,
    at: datetime,
    *,
    project: str = "",
    service: str = "checkout",
    dropped: int = 0,
) -> None:
    """So many more records of a producer arrived, up to a number."""
    about = {"id": producer, "project": project or TESTED.project, "service": service, "n": records, "last": last}
    database.command(PRODUCED, {**about, "dropped": dropped, "at": int(at.timestamp())})


def batch(database: Database, first: int, count: int, at: datetime, *, delay: timedelta = timedelta()) -> None:
    """A batch of the project's spans as ingest stores it, with the ledger's row."""
    ago_ms = (at - T0).total_seconds() * 1000 - 60_000
    numbers = range(first + 1, first + count + 1)
    spans = [Span(trace=one, span=one, at_ms=ago_ms, project=TESTED.project) for one in numbers]
    arrived(database, spans, first=first, stored=at)
    database.command(
        "ALTER TABLE ingest_ledger UPDATE last_record_ts = ts - {delay:UInt32}, first_record_ts = last_record_ts, "
        "n_records = n_spans WHERE ts = toDateTime64({at:UInt32}, 3, 'UTC') SETTINGS mutations_sync = 2",
        {"delay": int(delay.total_seconds()), "at": int(at.timestamp())},
    )


def run(world: World, minutes: int, *, start: datetime = T) -> None:
    """A round every five minutes."""
    for place in range(minutes // 5 + 1):
        world.engine().round(start + place * FIVE + LATE)


def firing(world: World) -> list[str]:
    """Sentences of what people were told."""
    return [notice.alert.sentence for notice in world.box.notices.values() if notice.alert and notice.kind == "firing"]


def test_records_that_do_not_arrive_fire_for_their_service_once(database: Database) -> None:
    """After the time they are given; the alert says how many, of whom, and ends a day after the last loss."""
    batch(database, 0, 3, T - FIVE)
    produced(database, "a" * 32, 7, 9, T - FIVE)
    produced(database, "b" * 32, 5, 4, T - FIVE)
    produced(database, "c" * 32, 1, 8, T - FIVE, project="other")
    world = World(database, [TESTED])
    run(world, 10)
    early = firing(world)
    run(world, 60, start=T + 15 * timedelta(minutes=1))

    assert early == []
    assert firing(world) == [f"3 records of checkout did not arrive within 15 minutes, since {T:%-d %B, %H:%M} UTC."]
    [alert] = [notice.alert for notice in world.box.notices.values()]
    assert alert is not None
    assert (alert.series, alert.value, alert.state) == ({"service": "checkout"}, 3.0, "firing")
    produced(database, "a" * 32, 1, 10, T + 23 * HOUR)
    run(world, 180, start=T + 23 * HOUR)
    assert [kind for kind, _ in world.box.told()] == ["firing", "resolved"]


def test_records_that_arrive_late_end_it(database: Database) -> None:
    """Nothing is said of those that come in time."""
    batch(database, 0, 3, T - FIVE)
    produced(database, "a" * 32, 7, 9, T - FIVE)
    produced(database, "b" * 32, 7, 9, T - FIVE, service="search")
    world = World(database, [TESTED])
    run(world, 10)
    produced(database, "b" * 32, 3, 9, T + 2 * FIVE)
    run(world, 20, start=T + 3 * FIVE)
    produced(database, "a" * 32, 3, 9, T + 8 * FIVE)
    run(world, 10, start=T + 9 * FIVE)

    assert [kind for kind, _ in world.box.told()] == ["firing", "resolved"]
    assert "of checkout" in firing(world)[0]


def test_nothing_is_judged_while_ingest_is_behind(database: Database) -> None:
    """What is missing lies in Kafka; dropped spans that the producer counted are no gap either."""
    produced(database, "a" * 32, 7, 9, T - FIVE)
    produced(database, "b" * 32, 10, 9, T - FIVE, dropped=100)
    for place in range(10):
        batch(database, 3 * place, 3, T + place * FIVE - timedelta(minutes=1), delay=HOUR)
    world = World(database, [TESTED])
    run(world, 45)

    assert firing(world) == []
    run(world, 45, start=T + 65 * timedelta(minutes=1) + FIVE - FIVE)
    assert len(firing(world)) == 1


def test_offsets_without_a_batch_fire_for_the_projects_they_concern(database: Database) -> None:
    """Those that no batch has and those that two have, at once, and for a day."""
    batch(database, 0, 5, T - HOUR)
    batch(database, 9, 3, T - 2 * FIVE)
    batch(database, 11, 2, T - FIVE)
    other = RULE.validate_python({"id": "r", "type": "missing_data", "project": "other"})
    world = World(database, [TESTED, other])
    run(world, 0)

    assert firing(world) == [
        "Of otlp_spans/0 offsets 5 to 8 were never stored, offsets 11 were stored by two batches (5 records)."
    ]
    run(world, 10, start=T + DAY)
    assert [kind for kind, _ in world.box.told()] == ["firing", "resolved"]


def test_nothing_fires_where_all_is_well(database: Database) -> None:
    """Batches that follow each other, producers without gaps, and nothing at all."""
    world = World(database, [TESTED])
    run(world, 20)
    batch(database, 0, 5, T)
    batch(database, 5, 5, T + FIVE)
    produced(database, "a" * 32, 10, 9, T)
    produced(database, "", 10, 99, T)
    run(world, 30, start=T + 5 * FIVE)

    assert world.box.told() == []


def test_it_cannot_be_tried_on_the_past(database: Database) -> None:
    """Which is said, instead of that it would never have fired."""
    found = back_test(TESTED, database, T, T + DAY)

    assert (found.firings, found.note) == (
        [],
        "It cannot be tried on the past: of what was missing then nothing is kept.",
    )


def test_records_are_not_given_longer_than_two_hours() -> None:
    """It would have to remember too much."""
    with pytest.raises(RuleError, match="two hours at most"):
        evaluator_of(rule(type="missing_data", settle="3h"))


LOOKS = st.lists(st.integers(0, 5), min_size=1, max_size=40)


@given(counts=LOOKS, settle=st.sampled_from([300, 900, 1800]))
def test_a_loss_is_one_that_every_look_has_seen(counts: list[int], settle: int) -> None:
    """What is told was missing at each look of the time that records are given, and never more."""
    known: dict[str, object] = {}
    for place, count in enumerate(counts):
        known = followed(known, {"p": ("s", count, 9)} if count else {}, place * 300, settle)
        looks = settle // 300 + 1
        seen = counts[max(0, place - looks + 1) : place + 1]
        enough = len(seen) == looks
        one = known.get("p")
        assert (one is None) == (count == 0)
        if isinstance(one, dict):
            assert one["told"] <= count
            assert one["told"] >= (min(seen) if enough else 0)
            assert len(one["looks"]) <= looks
            assert bool(one["grew"]) == (one["told"] > 0 or bool(one["grew"]))
