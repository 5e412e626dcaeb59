"""A schedule as a Hypothesis state machine.

There is one rule, which draws what happens: several would be enabled in some schedules and not in others, and faults of
different sorts would seldom meet. Nothing that is drawn depends on how the system answers, so that the same draws are
the same schedule however long a broker takes.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.support.schedules.audit import audit
from tests.support.schedules.bench import Bench
from tests.support.schedules.events import EVENTS, KINDS, LOADS, Event, Load
from tests.support.schedules.member import Parts
from tests.support.schedules.traffic import Kind
from tests.support.schedules.world import PARTITIONS, Membership, World


class Schedule(RuleBasedStateMachine):
    """One schedule: what happens, in which order; and at the end everything is drained and compared."""

    def __init__(self, bench: Bench, parts: Parts) -> None:
        super().__init__()
        self._bench = bench
        self._parts = parts
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The schedule's own."""
        assert self._world is not None
        return self._world

    @initialize(
        membership=st.sampled_from(["instance", "instance", "static", "group"]),
        kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    )
    def begin(self, membership: Membership, kinds: list[Kind]) -> None:
        """Some records are there before anything happens."""
        self._world = World(self._bench, membership, self._parts)
        for partition in range(PARTITIONS):
            self.world.send(partition, kinds, 0)

    @rule(event=EVENTS, load=LOADS)
    def happens(self, event: Event, load: Load) -> None:
        """Something happens; producers write beside it, and the collectors work."""
        event.happen(self.world)
        if load.kinds:
            self.world.send(load.partition, load.kinds, 0)
        self.world.ahead_s += 0.3  # batches are old enough to be closed
        self.world.run(load.steps)

    def teardown(self) -> None:
        """Everything is drained, and compared."""
        if self._world is None:
            return
        try:
            self._world.drain()
            wrong = audit(self._world)
        finally:
            self._world.close()
        assert not wrong, wrong
