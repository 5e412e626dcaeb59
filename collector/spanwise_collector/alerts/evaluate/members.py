"""Which series of a rule have a place of their own: the busiest, the same from one tick to the next.

A series that comes and goes between its own place and the rest would look like a change of both. So where what is usual
matters, places are given out anew only when that is computed anew.
"""

from collections.abc import Collection

from spanwise_collector.alerts.signals import Block
from spanwise_collector.alerts.state import REST
from spanwise_collector.stats.arrays import Floats

Key = tuple[str, ...]


def busiest(block: Block, volume: Floats, most: int) -> list[Key]:
    """Keys of the series with the most events, at most so many.

    Args:
        block: the series.
        volume: events of each, [series].
        most: places.
    """
    order = sorted(range(len(block.keys)), key=lambda number: (-volume[number], block.keys[number]))
    return [block.keys[number] for number in order if volume[number] > 0 and not is_rest(block.keys[number])][:most]


def others(block: Block, volume: Floats, members: Collection[Key]) -> bool:
    """Whether there are events of series without a place."""
    return any(volume[number] > 0 for number, key in enumerate(block.keys) if key not in members)


def is_rest(key: Key) -> bool:
    """Whether the series is the pool of the others."""
    return bool(key) and key[0] == REST
