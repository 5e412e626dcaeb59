"""Puts the role `evals` together: from an evals file to a panel that follows its changes."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from spanwise_collector.alerts.channels.secrets import Secret
from spanwise_collector.alerts.claims import Store
from spanwise_collector.evals.budget import Purse, report_quietly
from spanwise_collector.evals.cache import StoredCache
from spanwise_collector.evals.calls import Means
from spanwise_collector.evals.chat_http import ChatEndpoint
from spanwise_collector.evals.evals_file import EvalsConfig, EvalsFile, JudgeConfig
from spanwise_collector.evals.judge import Judge
from spanwise_collector.evals.money import prices_of
from spanwise_collector.evals.panel import CodeRun, JudgeRun, Panel
from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.values import micros
from spanwise_collector.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class World:
    """What judging needs of the world.

    Attributes:
        store: the database.
        endpoint: sends requests to models.
        prices: what models cost.
        environ: the environment, for API keys.
        now: the time of day, UTC.
        now_ns: nanoseconds since the epoch.
        clock: seconds that never go back.
        wait: sleeps; raises `StoppedError` at a stop.
        jitter: random numbers in [0, 1).
        new_id: a text that was never used before.
    """

    store: Store
    endpoint: ChatEndpoint
    prices: PriceBook
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    now_ns: Callable[[], int]
    clock: Callable[[], float]
    wait: Callable[[float], None]
    jitter: Callable[[], float]
    new_id: Callable[[], str]


class PanelMaker:
    """The panel of an evals file as it is now. Thread-safe.

    Purses outlive a change of the file: what is in them stays this process's, under the new limit.

    Args:
        config: what the file says now; the same object as long as it does not change.
        world: what judging needs.
    """

    def __init__(self, config: Callable[[], EvalsConfig], world: World) -> None:
        self._config = config
        self._world = world
        self._lock = threading.Lock()
        self._made_of: EvalsConfig | None = None
        self._panel = Panel()
        self._limits: dict[tuple[str, str], int] = {}
        self._purses: dict[tuple[str, str], Purse] = {}
        self._pools: dict[tuple[str, str, int], ThreadPoolExecutor] = {}

    def current(self) -> Panel:
        """The panel."""
        config = self._config()
        with self._lock:
            if config is not self._made_of:
                self._panel = self._make(config)
                self._made_of = config
            return self._panel

    def report(self) -> None:
        """Write what was spent into the ledger."""
        for purse in self._all():
            report_quietly(purse)

    def close(self) -> None:
        """Give back what was not spent, and end the threads.

        Raises:
            StoreError: some could not be given back.
        """
        with self._lock:
            for pool in self._pools.values():
                pool.shutdown(wait=True)
        failure: StoreError | None = None
        for purse in self._all():
            try:
                purse.give_back()
            except StoreError as error:
                failure = error
        if failure is not None:
            raise failure

    def _all(self) -> list[Purse]:
        with self._lock:
            return list(self._purses.values())

    def _make(self, config: EvalsConfig) -> Panel:
        judges = tuple(self._judge(judge) for judge in config.judges)
        return Panel(
            tuple(CodeRun(entry, evaluator) for entry, evaluator in config.evaluators),
            judges,
            self._panel.judge_projects | {run.entry.traced_in for run in judges},
        )

    def _judge(self, config: JudgeConfig) -> JudgeRun:
        entry, world = config.entry, self._world
        key = (entry.project, entry.name)
        self._limits[key] = entry.limit_n
        purse = self._purses.get(key)
        if purse is None:
            purse = self._purses[key] = Purse(
                world.store,
                entry.project,
                entry.name,
                lambda: self._limits[key],
                now=world.now,
                clock=world.clock,
                new_id=world.new_id,
            )
        means = Means(
            endpoint=world.endpoint,
            purse=purse,
            prices=lambda: prices_of(world.prices, entry.provider, entry.model, micros(world.now())),
            key=Secret(entry.api_key_env, entry.api_key_file, world.environ),
            now_ns=world.now_ns,
            wait=world.wait,
            jitter=world.jitter,
        )
        judge = Judge(entry, config.rubric, means, StoredCache(world.store, world.now))
        # Batches that were begun under an earlier version of the file still use its pool.
        pool = self._pools.setdefault(
            (*key, entry.concurrency),
            ThreadPoolExecutor(entry.concurrency, thread_name_prefix=f"spanwise-judge-{entry.name}"),
        )
        return JudgeRun(entry, judge, pool)


def panel_of(file: EvalsFile, world: World) -> PanelMaker:
    """A maker that follows a file."""
    return PanelMaker(file.current, world)
