"""Delivering from the outbox on the real engine to a real HTTP server: neither lost nor repeated, whatever happens."""

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from spanwise_collector.alerts.batches import GROUP_INTERVAL, GROUP_WAIT
from spanwise_collector.alerts.channels.addresses import read_networks
from spanwise_collector.alerts.channels.config import CHANNEL, ChannelConfig
from spanwise_collector.alerts.channels.opening import Surroundings, is_grouped, open_channel, recipient
from spanwise_collector.alerts.claims import SKEW, Lease, Store
from spanwise_collector.alerts.deliver import GIVE_UP_AFTER, SEAL_FOR, SEND_FOR, Deliverer, Round, Route
from spanwise_collector.alerts.delivery_runner import delivery_runner
from spanwise_collector.alerts.outbox import Item, Outbox
from spanwise_collector.store.database import Database
from spanwise_collector.store.errors import StoreError, TransientStoreError
from tests.support.notices import NOW, alert, notice
from tests.support.receivers import HttpReceiver, Reply, http_receiver


class KilledError(BaseException):
    """The process ends here."""


class World:
    """An outbox, a receiver, and deliverers over both."""

    def __init__(self, database: Database, receiver: HttpReceiver) -> None:
        self.database = database
        self.receiver = receiver
        self.now = NOW
        self.ids = map(str, itertools.count(1))
        self.configs: dict[str, ChannelConfig] = {}
        self.add("hook", type="webhook", url=receiver.url())
        self.outbox = Outbox(database, lambda: map(recipient, self.configs.values()))

    def add(self, name: str, **values: object) -> None:
        """A channel more."""
        self.configs[name] = CHANNEL.validate_python({"name": name, **values})

    def routes(self) -> Mapping[str, Route]:
        """The channels."""
        around = Surroundings({"KEY": "k3y"}, read_networks("127.0.0.0/8"), lambda: self.now)
        return {name: Route(open_channel(config, around), is_grouped(config)) for name, config in self.configs.items()}

    def deliverer(
        self,
        on_step: Callable[[str], object] = str,
        *,
        kind: type[Deliverer] = Deliverer,
        store: Store | None = None,
        routes: Callable[[], Mapping[str, Route]] | None = None,
    ) -> Deliverer:
        """One more."""
        return kind(
            store or self.database,
            self.outbox,
            routes or self.routes,
            now=lambda: self.now,
            new_id=lambda: next(self.ids),
            rng=random.Random(7),
            dashboard_url="https://spanwise.example",
            on_step=on_step,
        )

    def forward(self, by: timedelta = GROUP_WAIT) -> None:
        """Later."""
        self.now += by

    def put(self, *numbers: int, kind: str = "firing", **values: object) -> list[str]:
        """Notices, now; the keys of their rows."""
        return [key for number in numbers for key in self.outbox.enqueue(notice(number, kind, at=self.now, **values))]

    def state(self, key: str) -> tuple[str, int, str]:
        """State, attempts and error of a row."""
        found = self.outbox.get(key)
        assert found is not None
        return found.state, found.attempts, found.error

    @property
    def heard(self) -> list[tuple[str, list[str]]]:
        """Each request: its idempotency key, and the keys of its notifications."""
        return [
            (one.headers["idempotency-key"], [told["key"] for told in json.loads(one.body)["notifications"]])
            for one in self.receiver.received
        ]

    @property
    def known(self) -> list[str]:
        """What a receiver knows that drops repeats: notifications by key, in order."""
        return [key for keys in dict(self.heard).values() for key in keys]


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    """A webhook named hook."""
    with http_receiver() as receiver:
        yield World(database, receiver)


def test_what_belongs_together_is_told_once_and_recorded(world: World) -> None:
    """Half a minute after the first; putting the same in again changes nothing, before and after."""
    keys = world.put(1, 2)
    world.put(1)
    deliverer = world.deliverer()

    assert deliverer.round() == Round()
    world.forward()
    assert deliverer.round() == Round(sent=1)
    world.outbox.enqueue(notice(1, at=NOW))
    world.forward(timedelta(hours=1))
    assert deliverer.round() == Round()

    assert [keys] == [told for _, told in world.heard]
    assert [world.state(key) for key in keys] == [("sent", 1, "")] * 2


def test_the_next_message_of_a_rule_waits_for_its_interval(world: World) -> None:
    """What fires meanwhile is told together."""
    first = world.put(1)
    deliverer = world.deliverer()
    world.forward()
    deliverer.round()
    rest = world.put(2, 3)
    world.forward(GROUP_INTERVAL - timedelta(milliseconds=1))
    deliverer.round()
    assert [first] == [told for _, told in world.heard]
    world.forward(timedelta(milliseconds=1))
    deliverer.round()

    assert [first, rest] == [told for _, told in world.heard]


def test_what_failed_is_repeated_under_the_same_key_until_it_is_taken(world: World) -> None:
    """The state says so meanwhile; the receiver may ask for more time."""
    (key,) = world.put(1)
    world.receiver.replies = [Reply(500, b"oh no"), Reply(429, b"", {"Retry-After": "900"}), Reply(closes=True)]
    deliverer = world.deliverer()
    world.forward()
    states = []
    for _ in range(60):
        done = deliverer.round()
        if done != Round():
            states.append((done, *world.state(key)))
        world.forward(timedelta(seconds=30))

    assert [(done.sent, done.failed, state, attempts) for done, state, attempts, _ in states] == [
        (0, 1, "failed", 1),
        (0, 1, "failed", 2),
        (0, 1, "failed", 3),
        (1, 0, "sent", 4),
    ]
    assert [error for *_, error in states] == [
        "127.0.0.1 answered 500: oh no",
        "127.0.0.1 answered 429",
        "127.0.0.1 cannot be reached (RemoteProtocolError: Server disconnected without sending a response.)",
        "",
    ]
    assert len({key for key, _ in world.heard}) == 1
    assert world.now > NOW + timedelta(seconds=900)


def test_after_a_day_it_is_given_up_and_says_why(world: World) -> None:
    """A channel that does not exist: tried for a day, visible all the time."""
    (key,) = world.put(1, channels=("nowhere",))
    deliverer = world.deliverer()
    problem = "the alerts file of the collector that delivers has no channel nowhere"
    world.forward()
    assert deliverer.round() == Round(failed=1)
    assert world.state(key) == ("failed", 1, problem)
    world.now = NOW + GIVE_UP_AFTER
    assert deliverer.round() == Round(given_up=1)
    assert world.state(key) == ("given_up", 1, f"given up after 24 h: {problem}")
    assert deliverer.round() == Round()


def test_a_test_is_tried_once(world: World) -> None:
    """The person who asked for it sees the answer."""
    world.receiver.replies = [Reply(404, b"no such hook")]
    (key,) = world.put(1, kind="test", alert=None)

    assert world.deliverer().round() == Round(failed=1)
    assert world.state(key) == ("given_up", 1, "127.0.0.1 answered 404: no such hook")


@pytest.mark.parametrize("step", ["sealed", "claimed", "sent", "recorded"])
@pytest.mark.parametrize("occurrence", [1, 2])
def test_a_kill_after_any_step_neither_loses_nor_repeats(world: World, step: str, occurrence: int) -> None:
    """Another goes on when the claims have run out. Only what was sent and not recorded comes twice, as the same."""
    keys = world.put(1, 2)
    keys += world.put(3, alert=alert(3, rule_id="latency"))
    world.forward()
    seen = 0

    def killed(taken: str) -> None:
        nonlocal seen
        seen += taken == step
        if taken == step and seen == occurrence:
            raise KilledError

    with pytest.raises(KilledError):
        world.deliverer(killed).round()
    world.put(4)  # joins no message that is settled
    for _ in range(3):
        world.forward(max(SEAL_FOR, SEND_FOR, GROUP_INTERVAL) + SKEW)
        world.deliverer().round()

    assert sorted(world.known) == sorted([*keys, "0000000000000004:1:firing:hook"])
    assert len(world.heard) - len(dict(world.heard)) == (step == "sent")
    assert {world.state(key)[0] for key in world.known} == {"sent"}


def test_two_deliverers_at_once_send_each_message_once(world: World) -> None:
    """Without a lease, too: twenty rules, and every notification arrives once."""
    keys = [key for number in range(1, 21) for key in world.put(number, alert=alert(number, rule_id=f"r{number % 10}"))]
    world.forward()
    barrier = threading.Barrier(2)

    def run(_: int) -> Round:
        deliverer = world.deliverer()
        barrier.wait(60)
        return deliverer.round()

    with ThreadPoolExecutor(2) as pool:
        rounds = list(pool.map(run, range(2)))
    # Of a group that the two took apart, the rest waits for its interval.
    world.forward(GROUP_INTERVAL + SEND_FOR)
    rounds.append(world.deliverer().round())

    assert sorted(key for _, told in world.heard for key in told) == sorted(keys)
    assert sum(one.sent for one in rounds) == len(world.heard)


def test_what_one_has_is_in_no_message_of_another(world: World) -> None:
    """One looked before a second notice came, the other after and is sending: the first notice is told once."""
    keys = world.put(1)
    world.forward()
    arrived, go_on = threading.Event(), threading.Event()
    others: list[threading.Thread] = []

    def hold(_: object) -> None:
        arrived.set()
        assert go_on.wait(60)

    def meanwhile() -> Mapping[str, Route]:
        keys.extend(world.put(2))
        world.receiver.on_request = hold
        others.append(threading.Thread(target=world.deliverer().round))
        others[0].start()
        assert arrived.wait(60)
        world.receiver.on_request = lambda _: None
        return world.routes()

    assert world.deliverer(routes=meanwhile).round() == Round()
    go_on.set()
    others[0].join(60)
    assert [told for _, told in world.heard] == [keys]


def test_while_one_sends_another_does_not(world: World) -> None:
    """Though what it sealed has run out: the attempt is its own for two minutes."""
    world.put(1)
    world.forward()

    def slow(step: str) -> None:
        if step == "claimed":
            world.forward(SEAL_FOR + SKEW)
            assert world.deliverer().round() == Round()

    assert world.deliverer(slow).round() == Round(sent=1)
    assert len(world.heard) == 1


class Interrupted:
    """A store on which something happens before an attempt is claimed."""

    def __init__(self, database: Database, before: Callable[[], object]) -> None:
        self._database = database
        self._before: Callable[[], object] | None = before

    def query(self, *args: Any, **kwargs: Any) -> Any:
        """As it is."""
        return self._database.query(*args, **kwargs)

    def insert(self, table: str, rows: Any, *, token: str, one_shard: bool = False) -> None:
        """After what happens before."""
        before = self._before
        if before is not None and token.startswith("claim:send:"):
            self._before = None
            before()
        self._database.insert(table, rows, token=token, one_shard=one_shard)


def test_of_two_that_want_the_same_attempt_one_has_it(world: World) -> None:
    """Both found that nobody had: the claim decides."""
    world.put(1)
    world.receiver.replies = [Reply(500)]
    world.forward()
    world.deliverer().round()
    world.forward(timedelta(seconds=30))
    rounds: list[Round] = []
    store = Interrupted(world.database, lambda: rounds.append(world.deliverer().round()))
    rounds.append(world.deliverer(store=store).round())

    assert rounds == [Round(sent=1), Round()]
    assert len(world.heard) == 2


def test_one_that_slept_sends_nothing_that_was_sent_meanwhile(world: World) -> None:
    """While it was busy with one message another sent the next, and every claim has run out."""
    keys = [*world.put(1), *world.put(2, alert=alert(2, rule_id="latency"))]
    world.receiver.replies = [Reply(500), Reply(500)]
    world.forward()
    world.deliverer().round()
    world.forward(timedelta(seconds=30))
    others: list[Round] = []

    def busy(step: str) -> None:
        if step == "claimed" and not others:
            others.append(world.deliverer().round())
            world.forward(SEND_FOR + SKEW)

    assert world.deliverer(busy).round() == Round(sent=1)
    assert others == [Round(sent=1)]
    assert [told for _, told in world.heard[2:]] == [[keys[1]], [keys[0]]]
    assert len(world.heard) == 4


def test_one_that_slept_while_it_sealed_sends_nothing(world: World) -> None:
    """Another has taken over the first notice and is sending it: the two messages would not be known as repeats."""
    keys = world.put(1, 2)
    world.forward()
    arrived, go_on = threading.Event(), threading.Event()
    others: list[threading.Thread] = []

    def hold(_: object) -> None:
        arrived.set()
        assert go_on.wait(60)

    def sleeps(step: str) -> None:
        if step == "sealed" and not others:
            world.receiver.on_request = hold
            world.forward(SEAL_FOR + SKEW)
            others.append(threading.Thread(target=world.deliverer().round))
            others[0].start()
            assert arrived.wait(60)

    assert world.deliverer(sleeps).round() == Round()
    go_on.set()
    others[0].join(60)
    world.forward(SEAL_FOR + SEND_FOR + GROUP_INTERVAL)
    world.deliverer().round()

    assert sorted(key for _, told in world.heard for key in told) == sorted(keys)


def test_the_end_of_an_alert_comes_after_its_begin(world: World) -> None:
    """While the begin cannot be delivered, the end waits."""
    world.receiver.replies = [Reply(503), Reply(503)]
    (begin,) = world.put(1)
    deliverer = world.deliverer()
    world.forward()
    deliverer.round()
    (end,) = world.put(1, kind="resolved")
    for _ in range(40):
        world.forward(timedelta(seconds=30))
        deliverer.round()

    assert [told for _, told in world.heard] == [[begin], [begin], [begin], [end]]


def test_an_error_of_one_channel_does_not_stop_the_others(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Even one that nobody thought of."""

    class Faulty:
        def send(self, message: object) -> str:
            raise ZeroDivisionError

    (bad,), (good,) = world.put(1, channels=("bad",)), world.put(2)
    world.add("bad", type="webhook", url="https://unused.example")
    routes = {**world.routes(), "bad": Route(Faulty(), is_grouped=True)}
    deliverer = Deliverer(
        world.database,
        world.outbox,
        lambda: routes,
        now=lambda: world.now,
        new_id=lambda: next(world.ids),
        rng=random.Random(7),
    )
    world.forward()

    assert deliverer.round() == Round(sent=1, failed=1)
    assert world.state(bad) == ("failed", 1, "an error that is not known here (ZeroDivisionError)")
    assert world.state(good)[0] == "sent"
    assert "ZeroDivisionError" in caplog.text


class FailsToRecord(Outbox):
    """Cannot write down what was sent, so many times."""

    times = 2

    def record(self, items: object, *, token: str) -> None:
        """Fail, or write."""
        if self.times:
            self.times -= 1
            raise TransientStoreError("away")
        super().record(items, token=token)  # type: ignore[arg-type]


def test_what_was_sent_while_the_store_was_away_is_written_down_before_anything_else(world: World) -> None:
    """The same process does not send it again."""
    (key,) = world.put(1)
    world.forward()
    world.outbox = FailsToRecord(world.database, lambda: map(recipient, world.configs.values()))
    deliverer = world.deliverer()
    for _ in range(2):
        with pytest.raises(TransientStoreError):
            deliverer.round()
    assert deliverer.round() == Round()

    assert (len(world.heard), world.state(key)) == (1, ("sent", 1, ""))


def test_a_pager_gets_one_event_after_the_other(world: World) -> None:
    """Trigger, acknowledge and resolve bear the same key; nothing is put together or waits."""
    world.add("pager", type="pagerduty", routing_key_env="KEY", url=world.receiver.url("/v2/enqueue"))
    for kind in ("firing", "repeat", "acknowledged", "resolved"):
        world.put(1, kind=kind, channels=("pager",))
        world.forward(timedelta(milliseconds=1))
    deliverer = world.deliverer()
    for _ in range(4):
        deliverer.round()
    events = [json.loads(one.body) for one in world.receiver.received]

    assert [event["event_action"] for event in events] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {event["dedup_key"] for event in events} == {"spanwise:shop:0000000000000001"}


def test_the_runner_delivers_while_it_leads_and_counts(world: World) -> None:
    """Of two runners one has the lease; a stop gives it up."""
    leases = [Lease(world.database, "deliver", owner, 30, lambda: world.now) for owner in "ab"]
    first, second = (delivery_runner(world.deliverer(), lease, interval_s=0.001) for lease in leases)
    assert leases[0].is_leader()
    world.put(1)
    world.forward()
    arrived = threading.Event()
    world.receiver.on_request = lambda _: arrived.set()
    first.start()
    second.start()
    assert arrived.wait(60)
    first.stop()
    second.stop()

    assert (first.counts["sent"], second.counts["sent"], len(world.heard)) == (1, 0, 1)
    assert [metric.name for metric in first.collect()] == [
        f"spanwise_deliver_{name}" for name in ("rounds", "failures", "seconds", "sent", "failed", "given_up")
    ]


def test_a_round_that_fails_ends_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it is, the next round is taken; it is counted and logged."""
    again = threading.Event()

    class Fails(Deliverer):
        rounds = 0

        def round(self) -> Round:
            self.rounds += 1
            if self.rounds == 1:
                raise TransientStoreError("away")
            if self.rounds == 2:
                raise StoreError("no rights")
            if self.rounds == 3:
                raise ZeroDivisionError
            again.set()
            return Round()

    lease = Lease(world.database, "deliver", "a", 30, lambda: world.now)
    runner = delivery_runner(world.deliverer(kind=Fails), lease, interval_s=0.001)
    runner.start()
    assert again.wait(60)
    runner.stop()

    assert runner.counts["failures"] == 3
    for words in ("tried again in 0.001 s: away", "no rights", "ZeroDivisionError"):
        assert words in caplog.text


def test_rows_are_what_is_told(world: World) -> None:
    """A notice comes out of the outbox as it was put in."""
    told = notice(1, at=NOW)
    (key,) = world.outbox.enqueue(told)

    assert world.outbox.waiting() == [Item(key, "hook", told, next_at=NOW)]
    assert world.outbox.get("unknown") is None
    moment: datetime = world.now
    assert world.outbox.sent_since(moment) == []
