"""A replay from its plan to the swap, step by step; every step can be interrupted, and is gone on with."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from spanwise_collector.ingest.erasure_list import StoredErasures
from spanwise_collector.ingest.loop import Transform
from spanwise_collector.replay.difference import ProjectDifference, compare_day, from_dict, to_dict
from spanwise_collector.replay.plan import Plan, check_held, make_plan
from spanwise_collector.replay.rebuild import Log, Rebuilder
from spanwise_collector.replay.shadow import Shadow, drop_views
from spanwise_collector.replay.spec import ReplayError, ReplaySpec
from spanwise_collector.replay.state import State
from spanwise_collector.replay.swap import put_in_place
from spanwise_collector.settle.settler import Settler
from spanwise_collector.store.amend import Amender
from spanwise_collector.store.database import Database, quoted
from spanwise_collector.store.dsn import with_database
from spanwise_collector.store.migrate import migrate

REBUILT: Final = "_rebuilt"
SHADOW: Final = "_shadow"
PAUSE_S: Final = 60.0
"""How long the swap waits for a batch that is being stored, and for queries that run."""
_READERS: Final = 1


class Phase(StrEnum):
    """What is being done."""

    REBUILDING = "rebuilding"
    COPYING = "copying"
    SETTLING = "settling"
    COMPARING = "comparing"
    READY = "ready"
    CATCHING_UP = "catching up"
    SWAPPING = "swapping"
    DONE = "done"


class ReplayLog(Log, Protocol):
    """A connection to Kafka that is closed at the end."""

    def close(self) -> None:
        """Close the connection."""
        ...


class Ingest(Protocol):
    """What a swap needs of ingest; `IngestRunner` fulfils it."""

    def paused(self, timeout_s: float) -> AbstractContextManager[None]:
        """See `IngestRunner.paused`."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a phase is.

    Attributes:
        phase: what is being done.
        done: of its items.
        total: records, or days.
    """

    phase: Phase
    done: int
    total: int


class Replayer:
    """Does replays, one at a time.

    Args:
        dsn: address of the store in use.
        live: the store in use.
        amender: of the store in use.
        ingest: stands still for the swap.
        transformer: makes the transformer for a replay.
        log: connects to Kafka.
        code_version: of this code.
        window: offsets that the duplicate filter looks back.
        clock: monotonic seconds.
        now: the time of day, UTC.
        version: numbers that rise, over restarts too.
        open_database: opens a database by its address.
    """

    def __init__(
        self,
        *,
        dsn: str,
        live: Database,
        amender: Amender,
        ingest: Ingest,
        transformer: Callable[[ReplaySpec], Transform],
        log: Callable[[], ReplayLog],
        code_version: str,
        window: int,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        version: Callable[[], int] = time.time_ns,
        open_database: Callable[[str], Database] = lambda dsn: Database.open(dsn, readers=_READERS),
    ) -> None:
        self._dsn = dsn
        self._live = live
        self._amender = amender
        self._ingest = ingest
        self._transformer = transformer
        self._log = log
        self._code_version = code_version
        self._window = window
        self._clock = clock
        self._now = now
        self._version = version
        self._open = open_database

    def found(self) -> tuple[ReplaySpec, Phase, dict[str, ProjectDifference]] | None:
        """The replay that is there, from this process or one before, how far it is, and what it would change.

        Raises:
            StoreError: as the store says.
        """
        if not self._exists():
            return None
        with self._opened() as (_, _, state):
            values = state.read()
        if "spec" not in values:
            return None
        difference = from_dict(json.loads(values.get("difference", "{}")))
        return ReplaySpec.from_json(values["spec"]), Phase(values["phase"]), difference

    def build(self, spec: ReplaySpec) -> Iterator[Progress]:
        """Make everything anew beside what is in use, up to the difference; goes on where an earlier run stopped.

        Raises:
            ReplayError: it cannot be done as asked.
            SourceError, StoreError: call again; it goes on.
        """
        if self._live.cluster:
            raise ReplayError(
                "A replay on a ClickHouse cluster (SPANWISE_CLICKHOUSE_CLUSTER) is not built yet: partitions would "
                "have to be replaced on every shard."
            )
        self._amender.resume()
        with self._opened() as (rebuilt, shadow, state), closing(self._log()) as log:
            values = state.read()
            plan = Plan.from_json(values["plan"]) if "plan" in values else make_plan(self._live, spec)
            topics = {one.topic for one in plan.stretches}
            check_held(
                plan, {topic: log.topic_id(topic) for topic in topics}, {topic: log.ranges(topic) for topic in topics}
            )
            if "plan" not in values:
                values = {
                    "spec": spec.to_json(),
                    "plan": plan.to_json(),
                    "phase": Phase.REBUILDING,
                    "amended": str(self._amended()),
                    "erasures": str(self._erasures()),
                }
                state.write(**values)
            yield from self._rebuild(spec, plan, rebuilt, log, erasures=int(values["erasures"]))
            days_shadow = Shadow(self._live, rebuilt, shadow, plan)
            yield from self._copy(days_shadow, state)
            days = _days(state)
            yield Progress(Phase.SETTLING, 0, 1)
            days_shadow.take_over_ledger(late=False)
            self._settle(shadow, days)
            yield from self._compare(shadow, plan, days, state)

    def _rebuild(
        self, spec: ReplaySpec, plan: Plan, rebuilt: Database, log: Log, *, erasures: int
    ) -> Iterator[Progress]:
        rebuilder = Rebuilder(
            live=self._live,
            rebuilt=rebuilt,
            transformer=self._transformer(spec),
            log=log,
            code_version=self._code_version,
            clock=self._clock,
            now=self._now,
            window=self._window,
            erased=StoredErasures(self._live).at(erasures),
        )
        done = 0
        for records in rebuilder.run(plan):
            done += records
            yield Progress(Phase.REBUILDING, done, max(done, plan.records))

    def _copy(self, shadow: Shadow, state: State) -> Iterator[Progress]:
        values = state.read()
        days = [date.fromisoformat(day) for day in json.loads(values["days"])] if "days" in values else shadow.days()
        built = set(json.loads(values.get("built", "[]")))
        state.write(phase=Phase.COPYING, days=json.dumps([day.isoformat() for day in days]))
        for number, day in enumerate(days):
            yield Progress(Phase.COPYING, number, len(days))
            if day.isoformat() in built:
                continue
            shadow.abandon_amendment()
            shadow.check(day)
            shadow.build(day)
            built.add(day.isoformat())
            state.write(built=json.dumps(sorted(built)))

    def _settle(self, shadow: Database, days: list[date]) -> Settler | None:
        if not days:
            return None
        now = self._now()
        window = now - datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC) + timedelta(days=1)
        settler = Settler(shadow, Amender(shadow, owner="replay", now=self._now), window=window, now=lambda: now)
        while settler.round().more:
            pass
        return settler

    def _compare(self, shadow: Database, plan: Plan, days: list[date], state: State) -> Iterator[Progress]:
        found: dict[str, ProjectDifference] = {}
        for number, day in enumerate(days):
            yield Progress(Phase.COMPARING, number, len(days))
            compare_day(self._live, shadow, plan, day, found)
        state.write(phase=Phase.READY, difference=json.dumps(to_dict(found)))
        yield Progress(Phase.READY, 1, 1)

    def swap(self) -> Iterator[Progress]:
        """Put the days that were made anew in the place of those in use.

        Raises:
            ReplayError: there is nothing ready, or what is in use was changed since in a way that would be lost.
            TimeoutError: a batch was still being stored; nothing was changed.
            StoreError: as the store says; calling again goes on.
        """
        with self._opened() as (rebuilt, shadow, state):
            values = state.read()
            phase = Phase(values.get("phase", Phase.REBUILDING))
            if phase is Phase.SWAPPING:
                yield from self._finish_swap(rebuilt, shadow, state)
                return
            if phase is not Phase.READY:
                raise ReplayError(f"The replay is not ready to be swapped in: it is {phase}.")
            if (values["amended"], values["erasures"]) != (str(self._amended()), str(self._erasures())):
                raise ReplayError(
                    "Since this replay began something was erased, by hand or by a project's retention, or costs were "
                    "computed anew (`spanwise reprice`). The swap would take that back. Discard the replay "
                    "(`spanwise replay --discard`) and begin it again."
                )
            days = _days(state)
            days_shadow = Shadow(self._live, rebuilt, shadow, Plan.from_json(values["plan"]))
            yield Progress(Phase.CATCHING_UP, 0, 1)
            with self._ingest.paused(PAUSE_S), self._amender.held():
                # Interrupted from here on, these days are put together once more.
                state.write(phase=Phase.CATCHING_UP, built="[]")
                days_shadow.catch_up(days)
                days_shadow.take_over_ledger(late=True)
                self._settle(shadow, days)
                days_shadow.finish(days)
                state.write(phase=Phase.SWAPPING)
                yield from self._finish_swap(rebuilt, shadow, state)

    def finish_swap(self) -> bool:
        """Finish a swap that was interrupted, if there is one; to be called before anything is stored."""
        if not self._exists():
            return False
        with self._opened() as (rebuilt, shadow, state):
            if state.read().get("phase") != Phase.SWAPPING:
                return False
            for _ in self._finish_swap(rebuilt, shadow, state):
                pass
        return True

    def _finish_swap(self, rebuilt: Database, shadow: Database, state: State) -> Iterator[Progress]:
        yield Progress(Phase.SWAPPING, 0, 1)
        with self._live.no_readers(PAUSE_S):
            put_in_place(self._live, rebuilt, shadow, _days(state))
        state.write(phase=Phase.DONE)
        yield Progress(Phase.DONE, 1, 1)

    def discard(self) -> None:
        """Drop everything that was made anew; what is in use stays as it is.

        Raises:
            ReplayError: it is being swapped in.
            StoreError: as the store says.
        """
        if not self._exists():
            return
        with self._opened() as (_, _, state):
            if state.read().get("phase") == Phase.SWAPPING:
                raise ReplayError("The swap was interrupted and has to be finished first: swap again.")
        for suffix in (REBUILT, SHADOW):
            self._live.command(f"DROP DATABASE IF EXISTS {quoted(self._live.address.database + suffix)} SYNC")

    def _amended(self) -> int:
        """The newest change of what is in use but for settling, which is done here too."""
        rows = self._live.query("SELECT max(number) FROM amendments WHERE kind != 'settle'").rows
        return int(rows[0][0])

    def _erasures(self) -> int:
        """Up to which version it is known what was erased."""
        return int(self._live.query("SELECT max(number) FROM erasure_marks").rows[0][0])

    def _exists(self) -> bool:
        name = self._live.address.database + SHADOW
        return bool(self._live.query("SELECT 1 FROM system.databases WHERE name = {name:String}", {"name": name}).rows)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Database, Database, State]]:
        with ExitStack() as stack:
            opened = []
            for suffix in (REBUILT, SHADOW):
                name = self._live.address.database + suffix
                opened.append(self._open(with_database(self._dsn, name)))
                stack.callback(opened[-1].close)
                migrate(opened[-1])
            rebuilt, shadow = opened
            drop_views(rebuilt)
            yield rebuilt, shadow, State(shadow, self._version)


def _days(state: State) -> list[date]:
    return [date.fromisoformat(day) for day in json.loads(state.read().get("days", "[]"))]
