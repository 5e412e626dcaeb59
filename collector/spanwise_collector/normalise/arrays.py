"""Arrays among attribute values.

A module of its own because it is not compiled: mypyc takes no class that is a list.
"""

from spanwise_collector.normalise.values import Value


class Array(list[Value]):
    """An array that can stand in the key of a dict: equal by content, found again only where it is the same object."""

    __slots__ = ()
    __hash__ = object.__hash__  # type: ignore[assignment]
