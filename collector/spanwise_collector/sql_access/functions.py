"""What SQL of users may call: functions that depend on their arguments and on nothing else of the machine.

The engine says of each function which category it is of; these categories read no files, dictionaries, settings or
other tables, and reach no network. Whatever a later version of the engine adds elsewhere is refused until somebody has
looked at it.
"""

from collections.abc import Iterable
from typing import Final

from spanwise_collector.store.database import Reader

CATEGORIES: Final = (
    "Aggregate Functions",
    "Arithmetic",
    "Arrays",
    "Bit",
    "Bitmap",
    "Comparison",
    "Conditional",
    "Dates and Times",
    "Distance",
    "Encoding",
    "Financial",
    "Hash",
    "IP Address",
    "JSON",
    "Logical",
    "Map",
    "Mathematical",
    "Null",
    "Random Number",
    "Rounding",
    "String",
    "String Replacement",
    "String Search",
    "String Splitting",
    "Time Window",
    "Tuple",
    "Type Conversion",
    "URL",
    "UUID",
)
BESIDE: Final = frozenset(
    [
        "bar",
        "byteSize",
        "caseWithExpression",
        "countDigits",
        "finalizeAggregation",
        "formatReadableDecimalSize",
        "formatReadableQuantity",
        "formatReadableSize",
        "formatReadableTimeDelta",
        "grouping",
        "identity",
        "ifNotFinite",
        "isConstant",
        "isFinite",
        "isInfinite",
        "isNaN",
        "lambda",
        "materialize",
        "minSampleSizeContinuous",
        "minSampleSizeConversion",
        "neighbor",
        "parseTimeDelta",
        "rowNumberInAllBlocks",
        "runningAccumulate",
        "runningDifference",
        "toColumnTypeName",
        "toTypeName",
        "transform",
    ]
)
"""Of other categories."""
REFUSED: Final = frozenset({"file", "aggThrow", "serverTimezone", "timezone"})
"""In spite of their category."""
_COMBINATORS: Final = [
    "If",
    "Array",
    "Map",
    "State",
    "SimpleState",
    "Merge",
    "MergeState",
    "ForEach",
    "Distinct",
    "OrDefault",
    "OrNull",
    "Resample",
    "ArgMin",
    "ArgMax",
]


def allowed_functions(reader: Reader) -> frozenset[str]:
    """Their names in lower case, by the engine's own list.

    Raises:
        StoreError: as the store says.
    """
    rows = reader.query(
        "SELECT name, categories, alias_to, is_aggregate FROM system.functions", settings={"max_result_rows": 100_000}
    ).rows
    found = {
        name for name, category, _, is_aggregate in rows if category in CATEGORIES or name in BESIDE or is_aggregate
    }
    found = (found | BESIDE) - REFUSED
    found |= {name for name, _, alias_to, _ in rows if alias_to in found}
    return frozenset(name.lower() for name in found)


def is_allowed(name: str, allowed: Iterable[str]) -> bool:
    """Whether a function may be called, an aggregate also with any combinators."""
    names = allowed if isinstance(allowed, frozenset) else frozenset(allowed)
    left = name
    while left:
        if left.lower() in names:
            return True
        ending = next((one for one in _COMBINATORS if left.endswith(one)), "")
        if not ending:
            return False
        left = left.removesuffix(ending)
    return False
