"""What people say: silences, acknowledgements, expected changes."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from spanwise_collector.alerts.acks import Acknowledgements, acknowledged_notice
from spanwise_collector.alerts.people import StoredPeople
from spanwise_collector.alerts.silences import SHOWN_FOR, SilenceError, Silences
from spanwise_collector.alerts.state import Acknowledgement, Restart, Silencing
from spanwise_collector.store.database import Database
from spanwise_schemas.api_alerts import Acknowledge, Silence
from tests.support.notices import NOW, alert

HOUR = timedelta(hours=1)


class World:
    """Stores with a clock and ids."""

    def __init__(self, database: Database) -> None:
        self.now = NOW
        ids = (f"{number:016x}" for number in itertools.count(1))
        self.silences = Silences(database, now=lambda: self.now, new_id=lambda: next(ids))
        self.acks = Acknowledgements(database, now=lambda: self.now, new_id=lambda: next(ids))
        self.people = StoredPeople(self.silences, self.acks)

    def silence(self, start: datetime, end: datetime, **values: object) -> Silence:
        """One more."""
        return self.silences.add(
            Silence.model_validate({"starts_at": start, "ends_at": end, "project": "shop", **values})
        )


@pytest.fixture
def world(database: Database) -> World:
    """Noon."""
    return World(database)


def test_a_silence_holds_from_its_begin_to_its_end(world: World) -> None:
    """In its project, until it is over or deleted; it is shown some days longer."""
    made = world.silence(NOW + HOUR, NOW + 2 * HOUR, rule_id="errors", series={"model": "m1"}, reason="move", by="me")
    other = world.silence(NOW, NOW + 3 * HOUR, project="lab")

    def holding(at: datetime) -> list[Silencing]:
        return list(world.people.silences("shop", at))

    assert made == Silence(
        silence_id="0000000000000001",
        project="shop",
        rule_id="errors",
        series={"model": "m1"},
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
        reason="move",
        by="me",
    )
    assert [holding(at) for at in (NOW, NOW + 2 * HOUR)] == [[], []]
    assert holding(NOW + HOUR) == [Silencing("errors", {"model": "m1"}, NOW + HOUR, NOW + 2 * HOUR)]
    assert (world.silences.shown("shop"), world.silences.shown("lab")) == ([made], [other])
    world.now = NOW + 2 * HOUR + SHOWN_FOR
    assert world.silences.shown("shop") == [made]
    world.now += timedelta(seconds=1)
    assert world.silences.shown("shop") == []


def test_a_deleted_silence_is_gone(world: World) -> None:
    """In its own project only."""
    made = world.silence(NOW, NOW + HOUR)

    assert world.silences.end("lab", made.silence_id) is None
    assert world.silences.end("shop", made.silence_id) == made
    assert world.silences.end("shop", made.silence_id) is None
    assert (world.silences.shown("shop"), world.people.silences("shop", NOW)) == ([], [])


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (NOW.replace(tzinfo=None), NOW, "time zone"),
        (NOW, NOW, "`ends_at` must be after"),
        (NOW - 2 * HOUR, NOW, "over already"),
        (NOW, NOW + timedelta(days=367), "may last a year"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(world: World, start: datetime, end: datetime, says: str) -> None:
    """With the reason."""
    with pytest.raises(SilenceError, match=says):
        world.silence(start, end)
    assert world.silences.shown("shop") == []


def test_a_person_takes_an_alert(world: World) -> None:
    """The newest word counts, of those alerts that were asked for."""
    taken = world.acks.acknowledge(alert(1), Acknowledge(by="me", note="looking"))
    world.now += HOUR
    world.acks.acknowledge(alert(1), Acknowledge(by="you"))
    world.acks.acknowledge(alert(2), Acknowledge(by="me"))

    assert (taken.acknowledged_by, taken.acknowledged_at, taken.is_expected) == ("me", NOW, False)
    assert world.people.acknowledged("shop", [1, 3]) == {1: Acknowledgement("you", NOW + HOUR, expected=False)}
    assert world.people.acknowledged("lab", [1]) == {}
    assert world.people.restarts("shop") == []


def test_an_expected_change_begins_anew_what_is_usual(world: World) -> None:
    """From where the change began; for sixty days, which is longer than what is usual looks back."""
    world.acks.acknowledge(alert(1), Acknowledge(by="me", note="new prompt", expected=True))

    restart = Restart("errors", '{"model":"m1"}', alert(1).began, NOW)
    assert world.people.restarts("shop") == [restart]
    assert world.people.acknowledged("shop", [1]) == {1: Acknowledgement("me", NOW, expected=True, note="new prompt")}
    world.now += timedelta(days=61)
    assert world.people.restarts("shop") == []


def test_of_people_who_speak_at_once_nobody_is_lost(world: World, database: Database) -> None:
    """Each gets a number of its own."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: world.acks.acknowledge(alert(1), Acknowledge(by=f"p{number}")), range(4)))
    rows = database.query("SELECT by, count() OVER (PARTITION BY seq) FROM alert_events FINAL ORDER BY by").rows

    assert rows == [(f"p{number}", 1) for number in range(4)]


def test_pagers_are_told_who_took_it() -> None:
    """A notice of its own kind, for the channels of the rule."""
    told = acknowledged_notice(alert(1, acknowledged_by="me"), Acknowledge(by="me", note="looking"), ("pager",), NOW)

    assert (told.kind, told.channels, told.severity) == ("acknowledged", ("pager",), "page")
    assert (told.title, told.text) == ("Acknowledged: Errors (model m1)", "looking")
    assert told.key == f"0000000000000001:acknowledged:{int(NOW.timestamp() * 1000)}"
