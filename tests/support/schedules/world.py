"""One schedule: a topic, its producer, one or two collectors and their ghosts, and what can be done to them."""

import itertools
import logging
import re
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Literal

from spanwise_collector.ingest.loop import Mode
from spanwise_collector.ingest.settings import IngestSettings, KafkaConnection
from spanwise_collector.ingest.source import TransientSourceError
from spanwise_collector.ingest.steps import Step
from tests.support.http_front import Fault
from tests.support.schedules.bench import REJECTS, Bench
from tests.support.schedules.member import Clocks, End, Member, Parts
from tests.support.schedules.traffic import Kind, Traffic
from tests.support.schedules.wire import State

Membership = Literal["static", "instance", "group"]
"""`static`: partitions by configuration, pins in a table. `instance`: a group whose members keep their names over
restarts. `group`: one whose members do not, so that a dead one has to be missed for a while."""

PARTITIONS = 2
SEATS = 2
BATCH_ROWS = 12
SESSION_S = 1.0
REQUEST_S = 1.5
DRAIN_S = 60.0
DELETED = re.compile(r"offsets (\d+) to (\d+) of \S+\[(\d+)\]")

_numbers = itertools.count()


class LostOffsetsLog(logging.Handler):
    """Hears what the loop says of records that Kafka has deleted."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the sentence."""
        self.said.append(record.getMessage())


class World:
    """A schedule under way."""

    def __init__(self, bench: Bench, membership: Membership, parts: Parts) -> None:
        self.bench = bench
        self.membership = membership
        self.parts = parts
        number = next(_numbers)
        self.topic = f"schedule-{number}"
        self.project = f"p{number}"
        bench.make_topic(self.topic, PARTITIONS)
        self.rejects_from = bench.rejects_end()
        self.traffic = Traffic(self.topic, self.project, number, bench.producer)
        self.ahead_s = 0.0
        self.wall_ahead_s = 0.0
        self.faults = 0
        self.skip_lost = False
        self.members: list[Member | None] = [None] * SEATS
        self.ghosts: list[Member] = []
        self.said: list[str] = []
        self.deleted: set[tuple[int, int]] = set()
        self._heard = LostOffsetsLog()
        self._log = logging.getLogger("spanwise_collector.ingest.loop")
        self._log.addHandler(self._heard)
        self._threads = ThreadPoolExecutor(SEATS + 1)
        bench.figures.begin()
        self.start(0)

    # Collectors

    def _clocks(self) -> Clocks:
        return Clocks(
            lambda: time.monotonic() + self.ahead_s,
            lambda: datetime.now(UTC) + timedelta(seconds=self.wall_ahead_s),
            lambda: time.time_ns() + int(self.wall_ahead_s * 1e9),
        )

    def start(self, seat: int) -> None:
        """A new process in a seat that is free; it may find no broker, and is started again at the next step."""
        if self.members[seat] is not None:
            return
        settings = IngestSettings(
            kafka=KafkaConnection(bootstrap="", request_timeout_s=REQUEST_S),
            code_version="test",
            assignment="static" if self.membership == "static" else "group",
            group=self.topic,
            group_instance=f"seat-{seat}" if self.membership == "instance" else "",
            session_timeout_s=SESSION_S,
            topics=(self.topic,),
            rejects_topic=REJECTS,
            batch_rows=BATCH_ROWS,
            batch_seconds=0.2,
            check_seconds=10.0,
            lost_offsets="skip" if self.skip_lost else "stop",
        )
        try:
            self.members[seat] = Member(self.bench, settings, self._clocks(), self.parts)
        except TransientSourceError:
            self.bench.figures.outcomes[End.AWAY] += 1

    def run(self, steps: int, mode: Mode = Mode.RUN) -> None:
        """All collectors take at least so many steps, each on a thread of its own.

        Whoever ended is replaced at the next call.
        """
        self.start(0)
        live = [member for member in (*self.members, *self.ghosts) if member is not None]
        left = {id(member): steps for member in live}
        for taken in self._threads.map(lambda member: self._steps(member, left, mode), live):
            self.bench.figures.steps += taken
        for seat, member in enumerate(self.members):
            if member is not None and member.ended is not None:
                self._bury(member)
                self.members[seat] = None
        for ghost in [ghost for ghost in self.ghosts if ghost.ended is not None]:
            self._bury(ghost)
            self.ghosts.remove(ghost)

    @staticmethod
    def _steps(member: Member, left: dict[int, int], mode: Mode) -> int:
        """Until everybody has taken their steps: while a group rebalances, members wait for each other's polls."""
        taken = 0
        while member.ended is None and any(count > 0 for count in left.values()):
            member.step(mode)
            taken += 1
            left[id(member)] -= 1
        left[id(member)] = 0
        return taken

    def _bury(self, member: Member) -> None:
        self.bench.figures.outcomes[str(member.ended)] += 1
        if member.ended is End.CRASHED:
            self.fault(f"crash at {member.reason}")
        if member.ended is End.STOPPED:
            member.close()
            if DELETED.search(member.reason):
                self.said.append(member.reason)
                self.skip_lost = True  # the operator has read it
        else:
            member.die()

    def _taken(self, seat: int) -> int:
        """The seat, or the other one when nobody is there."""
        return seat if self.members[seat] is not None else 1 - seat

    # What goes wrong

    def fault(self, kind: str) -> None:
        """Count it."""
        self.faults += 1
        self.bench.figures.faults[kind] += 1

    def crash_at(self, seat: int, step: Step) -> None:
        """Let a collector die at the next such step."""
        if (member := self.members[self._taken(seat)]) is not None:
            member.crash_at = step

    def kill(self, seat: int, *, late: bool) -> None:
        """A collector dies between two steps; what it had sent off may arrive when another one is at work already."""
        seat = self._taken(seat)
        member, self.members[seat] = self.members[seat], None
        if member is None:
            return
        self.fault("kill")
        member.die()
        if late:
            self.run(2)
            member.late_inserts()

    def hold_inserts(self, seat: int) -> None:
        """A collector's insert thread gets no time until it is let go."""
        if (member := self.members[self._taken(seat)]) is not None:
            member.holds_inserts = not member.holds_inserts
            self.fault("insert thread stuck")

    def haunt(self, seat: int) -> None:
        """A collector is replaced though it lives: it goes on, and does not know."""
        seat = self._taken(seat)
        member = self.members[seat]
        if member is None or self.membership == "static" or self.ghosts:
            return
        self.fault("zombie")
        self.members[seat] = None
        self.ghosts.append(member)
        if self.membership == "group":
            member.wire.set(State.CUT)
            time.sleep(1.2 * SESSION_S)  # the broker's clock: nothing else tells that a session is over
            member.wire.set(State.OPEN)
        self.start(seat)

    def join(self) -> None:
        """A second collector comes, and some partitions move to it."""
        if self.membership != "static" and self.members[1] is None:
            self.fault("join")
            self.start(1)

    def leave(self, seat: int) -> None:
        """A collector ends in order."""
        seat = self._taken(seat)
        member, self.members[seat] = self.members[seat], None
        if member is not None:
            self.fault("leave")
            member.close()

    def wire(self, seat: int, state: State, seconds: float) -> None:
        """Something happens to the network between a collector and Kafka."""
        if (member := self.members[self._taken(seat)]) is not None:
            self.fault(f"kafka {state.name.lower()}")
            member.wire.set(state, seconds)

    def store_fault(self, fault: Fault) -> None:
        """Something happens to the next requests to the store that match."""
        self.bench.front.faults.add(fault)

    def jump(self, monotonic_s: float, wall_s: float) -> None:
        """Time passes; or the machine slept, or somebody set its clock."""
        if monotonic_s > 60 or wall_s:
            self.fault("clock jump")
        self.ahead_s += monotonic_s
        self.wall_ahead_s += wall_s

    def delete_records(self, partition: int) -> None:
        """Retention deletes everything of a partition, read or not."""
        end = sum(record.partition == partition for record in self.traffic.sent)
        if end:
            self.fault("records deleted")
            self.bench.delete_records(self.topic, partition, end)
            self.deleted |= {(partition, offset) for offset in range(end)}

    def send(self, partition: int, kinds: Sequence[Kind], days_ago: int) -> None:
        """Producers write."""
        self.traffic.send(partition, kinds, days_ago=days_ago)

    # The end

    def drain(self) -> None:
        """No more faults: run until everything is stored.

        Raises:
            AssertionError: it does not come to an end.
        """
        self._count_store_faults()
        for member in (*self.members, *self.ghosts):
            if member is not None:
                member.crash_at, member.holds_inserts = None, False
                member.wire.set(State.OPEN)
        deadline = time.monotonic() + DRAIN_S
        while not self._drained():
            self.ahead_s += 1.0
            self.run(1, Mode.FLUSH)
            assert time.monotonic() < deadline, f"not drained after {DRAIN_S:.0f} s: {self._waiting()}"

    def _count_store_faults(self) -> None:
        """No more of them; those that a request has met are counted."""
        faults = self.bench.front.faults
        faults.set()
        for fault in faults.taken:
            self.fault(f"store {fault.kind}" + (f" {fault.code}" if fault.kind == "error" else ""))
        faults.taken.clear()

    def _drained(self) -> bool:
        """Whether every partition's owner has released everything that was sent."""
        # A ghost may have joined again, as a member like any other.
        live = [member for member in (*self.members, *self.ghosts) if member is not None]
        states = [state for member in live if member.ended is None for state in member.loop.partitions()]
        released = {state.partition: state.next_offset for state in states}
        sent = Counter(record.partition for record in self.traffic.sent)
        return released == {partition: sent[partition] for partition in range(PARTITIONS)}

    def _waiting(self) -> list[object]:
        live = [member for member in (*self.members, *self.ghosts) if member is not None]
        return [(m.loop.partitions(), m.loop.waiting, m.reason, m.group_state) for m in live]

    def close(self) -> None:
        """End everything that is left."""
        self.bench.front.faults.set()
        for member in (*self.members, *self.ghosts):
            if member is not None:
                member.die()
        self._threads.shutdown()
        self._log.removeHandler(self._heard)

    @property
    def announced(self) -> set[tuple[int, int]]:
        """(partition, offset) of every record of which a collector has said that Kafka deleted it unread."""
        found: set[tuple[int, int]] = set()
        for text in (*self.said, *self._heard.said):
            for first, last, partition in DELETED.findall(text):
                found |= {(int(partition), offset) for offset in range(int(first), int(last) + 1)}
        return found
