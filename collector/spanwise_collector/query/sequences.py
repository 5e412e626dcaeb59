"""The numbers of producers' records: how many have not arrived, and which. SQL over the table `producers`.

A producer numbers its records from 0 on. Which have arrived is a bitmap; rows that an older version wrote have none,
and there the count of records stands for it, in which a record that was sent twice hides one that is missing.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

MAX_RANGES: Final = 100
"""Ranges that are named of one producer."""
MAX_NAMED: Final = 20
"""Producers whose ranges are looked for: a bitmap is unpacked for it."""
MAX_UNPACKED: Final = 20_000_000

_HAVE: Final = "groupBitmapMerge(seqs)"
# Then the bitmap has all that arrived; otherwise an older version stored the first of them.
_KNOWN: Final = "sum(n_numbered) >= sum(n_records)"
MISSING: Final = (
    f"toInt64(greatest(0, toInt64(max(max_seq)) + 1 - toInt64(if({_KNOWN}, {_HAVE}, toUInt64(sum(n_records))))))"
)
"""Of the rows of one producer: how many of its records have not arrived."""

_RANGES: Final = f"""
SELECT producer,
  arraySlice(arrayMap(pair -> (pair.1 + 1, pair.2 - 1), arrayFilter(pair -> pair.2 - pair.1 > 1,
    arrayZip(arrayPopBack(marks), arrayPopFront(marks)))), 1, {MAX_RANGES}) AS ranges
FROM (
  SELECT producer, arrayConcat(if({_KNOWN}, [-1], emptyArrayInt64()),
    CAST(arraySort(bitmapToArray(groupBitmapMergeState(seqs))), 'Array(Int64)')) AS marks
  FROM producers WHERE producer IN {{producers:Array(String)}} GROUP BY producer HAVING {_HAVE} <= {MAX_UNPACKED}
)
"""

Ask = Callable[[str, dict[str, object]], Iterable[Sequence[Any]]]
"""(SQL, parameters) to rows."""


def missing_ranges(ask: Ask, producers: Sequence[str]) -> dict[str, list[tuple[int, int]]]:
    """Which numbers have not arrived.

    Args:
        ask: asks the store.
        producers: ids; of the first 20 the ranges are looked for.

    Returns:
        By producer its ranges, first and last number, rising; at most 100 each. Producers of whose numbers none is
        known, as of those an older version stored, have an empty list or are absent.
    """
    if not producers:
        return {}
    rows = ask(_RANGES, {"producers": list(producers[:MAX_NAMED])})
    return {str(producer): [(int(first), int(last)) for first, last in ranges] for producer, ranges in rows}
