"""What may happen in a schedule, as values that Hypothesis draws, and what each does to a world."""

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from spanwise_collector.ingest.steps import Step
from tests.support.http_front import Fault
from tests.support.schedules.traffic import Kind
from tests.support.schedules.wire import State
from tests.support.schedules.world import World

KINDS: list[Kind] = ["spans", "spans", "partly bad", "garbage", "again"]
SEATS = st.integers(0, 1)
# What ClickHouse says when waiting helps: a time limit, too many queries, no memory, read-only tables, a full disk,
# too many parts, nobody knows whether it landed.
PASSING_CODES = [159, 202, 241, 242, 243, 252, 319]
# And when it does not: a user who may only read, or may not write this.
STOPPING_CODES = [164, 497]
TABLES = ["", ":spans", ":spans", ":span_io", ":ingest_ledger", ":ingest_pins"]
NETWORK_FAULTS = [State.CUT, State.HANGING, State.SLOW, State.DEAF]


@dataclass(frozen=True)
class Event:
    """Something that happens.

    Attributes:
        text: for the printed schedule.
        happen: does it.
    """

    text: str
    happen: Callable[[World], None]

    def __repr__(self) -> str:
        return f"<{self.text}>"


@dataclass(frozen=True)
class Load:
    """What is sent beside an event, and how many steps the collectors take then."""

    partition: int
    kinds: list[Kind]
    steps: int


def store_fault(fault: Fault) -> Event:
    """The store refuses, loses an answer, is slow, or does what was asked too late."""
    return Event(f"store: {fault}", lambda world: world.store_fault(fault))


def crash(seat: int, step: Step) -> Event:
    """A collector dies at the next such step."""
    return Event(f"crash of {seat} at {step}", lambda world: world.crash_at(seat, step))


def kill(seat: int, late: bool) -> Event:
    """A collector dies between two steps."""
    return Event(f"kill {seat}, late={late}", lambda world: world.kill(seat, late=late))


def network_fault(seat: int, state: State, seconds: float) -> Event:
    """The network between a collector and Kafka fails for a while."""
    return Event(f"network of {seat}: {state.name}, {seconds} s", lambda world: world.wire(seat, state, seconds))


def hold_inserts(seat: int) -> Event:
    """A collector's insert thread gets no time, or gets it again."""
    return Event(f"hold or free inserts of {seat}", lambda world: world.hold_inserts(seat))


def zombie(seat: int) -> Event:
    """A collector is replaced, and goes on."""
    return Event(f"zombie {seat}", lambda world: world.haunt(seat))


def leave(seat: int) -> Event:
    """A collector ends in order."""
    return Event(f"leave {seat}", lambda world: world.leave(seat))


def time_passes(monotonic_s: float, wall_s: float) -> Event:
    """Time passes, or a clock jumps."""
    return Event(f"time {monotonic_s}, {wall_s}", lambda world: world.jump(monotonic_s, wall_s))


def delete_records(partition: int) -> Event:
    """Retention deletes what was perhaps not read."""
    return Event(f"delete records of {partition}", lambda world: world.delete_records(partition))


def late_producer(partition: int) -> Event:
    """A producer whose clock is a day behind writes."""
    return Event(f"late producer on {partition}", lambda world: world.send(partition, ["spans"], 1))


JOIN = Event("join", lambda world: world.join())
STORE_FAULTS = st.one_of(
    st.builds(
        Fault,
        kind=st.sampled_from(["refuse", "lose_answer", "lose_answer", "late", "late", "slow", "hang"]),
        match=st.sampled_from(TABLES),
        seconds=st.sampled_from([0.05, 0.3]),
    ),
    st.builds(
        Fault,
        kind=st.just("error"),
        match=st.sampled_from(TABLES),
        times=st.integers(1, 2),
        code=st.sampled_from([*PASSING_CODES, *STOPPING_CODES]),
    ),
)
CRASHES = st.builds(crash, SEATS, st.sampled_from(list(Step)))
EVENTS = st.one_of(
    CRASHES,
    CRASHES,
    st.builds(store_fault, STORE_FAULTS),
    st.builds(store_fault, STORE_FAULTS),
    st.builds(kill, SEATS, st.booleans()),
    st.builds(network_fault, SEATS, st.sampled_from(NETWORK_FAULTS), st.sampled_from([0.1, 0.3])),
    st.builds(hold_inserts, SEATS),
    st.builds(zombie, SEATS),
    st.one_of(st.just(JOIN), st.builds(leave, SEATS)),
    st.builds(time_passes, st.sampled_from([1.0, 86_400.0]), st.sampled_from([0.0, -86_400.0, -2.0, 3600.0])),
    st.one_of(st.builds(late_producer, SEATS), st.builds(late_producer, SEATS), st.builds(delete_records, SEATS)),
)
LOADS = st.builds(Load, SEATS, st.lists(st.sampled_from(KINDS), max_size=2), st.integers(1, 4))
