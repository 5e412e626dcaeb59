"""Repricing a time range: what would change, and changing it, piece by piece."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.cost import PriceBook, UnitPrices
from spanwise_collector.query.window import HOUR, MINUTE, Window
from spanwise_collector.reprice.formula import MODELS_PER_CHANGE, Model, change_of
from spanwise_collector.store.amend import Amender, AmendmentBusyError, Store
from spanwise_collector.store.amend_sums import before_and_after
from spanwise_collector.store.change import Change
from spanwise_schemas.conventions import CALL_KINDS

SPANS_PER_CHANGE: Final = 100_000
BUSY_WAIT_S: Final = 1.0
BUSY_TRIES: Final = 600
_TIMEOUT_S: Final = 120.0
_KINDS: Final = ", ".join(f"'{kind}'" for kind in sorted(CALL_KINDS))


@dataclass(frozen=True, slots=True)
class Difference:
    """What becomes of a model's calls; costs are nano-dollars of calls that bear a bill.

    Attributes:
        calls: that bear a bill.
        before_n: stored cost.
        after_n: cost under the new list.
        priced: calls that have a cost only under the new list.
        unpriced: calls that have one only under the old.
        versions: of the new list's prices.
    """

    calls: int = 0
    before_n: int = 0
    after_n: int = 0
    priced: int = 0
    unpriced: int = 0
    versions: frozenset[str] = field(default_factory=frozenset)

    def plus(self, other: "Difference") -> "Difference":
        """Both together."""
        return Difference(
            self.calls + other.calls,
            self.before_n + other.before_n,
            self.after_n + other.after_n,
            self.priced + other.priced,
            self.unpriced + other.unpriced,
            self.versions | other.versions,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the work that is done at once.

    Attributes:
        change: what to do.
        end_us: up to here everything of the project is covered with it.
    """

    change: Change
    end_us: int


class Repricer:
    """Computes history anew.

    Args:
        store: the database.
        amender: makes the changes.
        sleep: waits, in seconds, while another change is being made.
    """

    def __init__(self, store: Store, amender: Amender, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._store = store
        self._amender = amender
        self._sleep = sleep

    def projects(self, window: Window) -> list[str]:
        """Projects that have model calls in the window."""
        return [
            project
            for (project,) in self._store.query(
                f"SELECT DISTINCT project_id FROM spans WHERE {_SPAN} ORDER BY project_id",
                {"from": window.start, "to": window.end},
                timeout_s=_TIMEOUT_S,
            ).rows
        ]

    def pieces(self, project: str, window: Window, prices: PriceBook) -> Iterator[Piece]:
        """The changes that give the project's calls their costs by a price list, in order of time."""
        hours = self._store.query(
            "SELECT toInt64(toUnixTimestamp(toStartOfHour(start_time))) * 1000000 AS hour, count() FROM spans "
            f"WHERE project_id = {{project:String}} AND {_SPAN} GROUP BY hour ORDER BY hour",
            {"project": project, "from": window.start, "to": window.end},
            timeout_s=_TIMEOUT_S,
        ).rows
        for hour, spans in hours:
            parts = min(60, -(-spans // SPANS_PER_CHANGE))
            step = -(-60 // parts) * MINUTE
            for start in range(hour, hour + HOUR, step):
                part = Window(max(start, window.start), min(start + step, hour + HOUR, window.end))
                if part.length > 0:
                    yield from self._of_part(project, part, prices)

    def _of_part(self, project: str, part: Window, prices: PriceBook) -> Iterator[Piece]:
        models = self._models(project, part)
        middle = part.start + part.length // 2 // MINUTE * MINUTE
        now, then = (_priced(models, prices, at) for at in (part.start, part.end - 1))
        if now != then and part.start < middle:
            # A price that changes within the hour.
            yield from self._of_part(project, Window(part.start, middle), prices)
            yield from self._of_part(project, Window(middle, part.end), prices)
            return
        listed = list(now.items())
        for at in range(0, len(listed), MODELS_PER_CHANGE):
            some = dict(listed[at : at + MODELS_PER_CHANGE])
            yield Piece(change_of(project, part.start, part.end, some), part.end)

    def _models(self, project: str, part: Window) -> list[Model]:
        return [
            Model(*names)
            for names in self._store.query(
                "SELECT DISTINCT provider, model_response, model_request FROM spans "
                f"WHERE project_id = {{project:String}} AND {_SPAN} ORDER BY ALL",
                {"project": project, "from": part.start, "to": part.end},
                timeout_s=_TIMEOUT_S,
            ).rows
        ]

    def difference(self, piece: Piece) -> dict[str, Difference]:
        """What a piece would change, by model."""
        version = piece.change.after("price_version")
        rows = self._store.query(
            "SELECT model, sum(c0), sum(k0), sum(k1), sum(greatest(u0 - u1, 0)), sum(greatest(u1 - u0, 0)), "
            f"groupUniqArrayIf(version, version NOT IN ('', 'reported')) "
            f"FROM ({before_and_after(piece.change, {'version': version})}) WHERE c0 = 1 GROUP BY model ORDER BY model",
            timeout_s=_TIMEOUT_S,
        ).rows
        return {
            model: Difference(int(calls), int(before), int(after), int(priced), int(unpriced), frozenset(versions))
            for model, calls, before, after, priced, unpriced, versions in rows
        }

    def apply(self, piece: Piece) -> None:
        """Make a piece's change; while another collector amends, wait.

        Raises:
            AmendmentBusyError: that took ten minutes.
            StoreError: as the store says.
        """
        for attempt in range(BUSY_TRIES):
            try:
                self._amender.apply("reprice", piece.change)
                return
            except AmendmentBusyError:
                if attempt + 1 == BUSY_TRIES:
                    raise
                self._sleep(BUSY_WAIT_S)


_SPAN: Final = (
    f"kind IN ({_KINDS}) AND start_time >= fromUnixTimestamp64Micro({{from:Int64}}, 'UTC') "
    "AND start_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC')"
)


def _priced(models: list[Model], prices: PriceBook, at_us: int) -> dict[Model, UnitPrices | None]:
    return {model: model.price(prices, at_us) for model in models}


def together(found: Mapping[str, Difference], more: Mapping[str, Difference]) -> dict[str, Difference]:
    """Differences by model of two parts of the work."""
    sums = dict(found)
    for model, one in more.items():
        sums[model] = sums.get(model, Difference()).plus(one)
    return sums
