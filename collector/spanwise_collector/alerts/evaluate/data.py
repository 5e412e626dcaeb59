"""Reading for a round: what several rules need of one source comes in one query."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spanwise_collector.alerts.evaluate.base import Need
from spanwise_collector.alerts.signals import Block, SignalSource, Source, read
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import StoreError

_Key = tuple[Source, int, bool]


@dataclass(slots=True)
class RoundData:
    """`base.Data` of one round, with a memory.

    Attributes:
        reader: the store.
        queries: how many were asked.
        kept: see `base.Data`.
    """

    reader: Reader
    queries: int = 0
    kept: dict[Hashable, Any] = field(default_factory=dict)
    _planned: dict[_Key, Need] = field(default_factory=dict)
    _blocks: dict[_Key, list[tuple[Need, Block]]] = field(default_factory=dict)

    def plan(self, needs: Iterable[Need]) -> None:
        """Say beforehand what will be asked for; nothing is read yet."""
        for need in needs:
            key = _key(need)
            before = self._planned.get(key)
            self._planned[key] = need if before is None else _both(before, need)

    def block(self, need: Need) -> Block:
        """See `base.Data`."""
        key = _key(need)
        for held, block in self._blocks.get(key, ()):
            if _covers(held, need):
                return block.between(need.start, need.end)
        planned = self._planned.get(key)
        wider = _both(planned, need) if planned is not None and _covers(planned, need) else need
        try:
            block = self._read(wider)
        except StoreError:
            if wider is need:
                raise
            # Together it was too much; what one rule needs may not be.
            wider, block = need, self._read(need)
        self._blocks.setdefault(key, []).append((wider, block))
        return block.between(need.start, need.end)

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """See `base.Data`."""
        self.queries += 1
        return self.reader.query(sql, parameters, timeout_s=60.0).rows

    def _read(self, need: Need) -> Block:
        self.queries += 1
        return read(self.reader, need.source, need.columns, need.start, need.end, need.step)


def _key(need: Need) -> _Key:
    """What is read together: spans are dear, and not kept as long as roll-ups."""
    source = need.source
    return source, need.step, isinstance(source, SignalSource) and source.is_lifted(need.columns)


def _both(one: Need, other: Need) -> Need:
    start, end = min(one.start, other.start), max(one.end, other.end)
    return Need(one.source, one.columns | other.columns, start, end, one.step)


def _covers(held: Need, need: Need) -> bool:
    return held.start <= need.start and need.end <= held.end and held.columns >= need.columns
