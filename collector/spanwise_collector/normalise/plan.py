"""The table of conventions, compiled: which attribute fills which field.

Spans of one call site carry the same attribute names in the same order. So the table is applied once per such *shape*
and the result, a `Plan`, is kept: for the next span of that shape, reading is a walk down a short list instead of forty
look-ups. The plan also is the explanation: it says for every field which rule gave it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from spanwise_collector.normalise.indexed import indexed_json, indexed_messages
from spanwise_collector.normalise.limits import MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTES
from spanwise_collector.normalise.readings import WARNING_OF_READING, Read, reader_of
from spanwise_collector.normalise.values import Value, clean
from spanwise_schemas.conventions import CONVENTION_ORDER, SPAN_FIELDS, Field, Source

SLOT: Final = {one.name: slot for slot, one in enumerate(SPAN_FIELDS)}
"""Positions of a span's fields in the table, which are their positions in the list of values."""
_MAX_PLANS: Final = 4096
_MAX_SHAPE_CHARACTERS: Final = 8192
"""Longer shapes are conversations spread over attributes: hardly two are alike, and keeping them would cost memory."""
_ASSEMBLE: Final[Mapping[str, Callable[[Iterable[tuple[str, Value]]], str]]] = {
    "indexed_messages": indexed_messages,
    "indexed_json": indexed_json,
    "ignored": lambda items: "",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One way to fill one field.

    Attributes:
        slot: the field's position in the table.
        source: the rule.
        key: the attribute's name, or the prefix with its dot.
        read: for a single attribute, its reading.
        keys: for a prefix, the attributes below it.
        content: whether the field is a body.
    """

    slot: int
    source: Source
    key: str
    read: Read
    keys: tuple[str, ...]
    content: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """How spans of one shape are read.

    Attributes:
        steps: the best source of each field that has one: (slot, attribute, reading).
        spread: the same for fields that are spread over many attributes.
        others: slot to the sources that are next when the best cannot be read.
        rest: attributes that fill no column, kept as they are.
        rest_names: the names under which they are stored.
        warnings: what was wrong with the names.
        convention: which convention the span follows, or "" where no name tells.
    """

    steps: tuple[tuple[int, str, Read], ...]
    spread: tuple[Step, ...]
    others: Mapping[int, tuple[Step, ...]]
    rest: tuple[str, ...]
    rest_names: tuple[str, ...]
    warnings: frozenset[str]
    convention: str


class Planner:
    """Plans for one table of fields.

    Args:
        fields: the table; a field's position is its slot.
    """

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields
        self._exact: dict[str, list[tuple[int, int]]] = {}
        self._prefixes: list[tuple[str, int, int]] = []
        for slot, one in enumerate(fields):
            for rank, source in enumerate(one.sources):
                if source.attribute.endswith(".*"):
                    self._prefixes.append((source.attribute[:-1], slot, rank))
                else:
                    self._exact.setdefault(source.attribute, []).append((slot, rank))
        self._plans: dict[tuple[str, ...], Plan] = {}

    def plan(self, names: tuple[str, ...]) -> Plan:
        """The plan for spans with these attribute names, in this order."""
        plan = self._plans.get(names)
        if plan is None:
            plan = self._make(names)
            if sum(map(len, names)) > _MAX_SHAPE_CHARACTERS:
                return plan
            if len(self._plans) >= _MAX_PLANS:
                # Oldest out; applications with a new name in every span would otherwise fill memory.
                del self._plans[next(iter(self._plans))]
            self._plans[names] = plan
        return plan

    def _make(self, names: tuple[str, ...]) -> Plan:
        found: dict[int, dict[int, list[str]]] = {}
        rest: list[str] = []
        for name in names:
            places = self._exact.get(name)
            if places is None:
                places = [(slot, rank) for prefix, slot, rank in self._prefixes if name.startswith(prefix)]
                # `gen_ai.prompt.name` is a name of its own; below `gen_ai.prompt.` only numbers are messages.
                places = [place for place in places if _numbered(name, self._source(*place).attribute[:-1])]
            for slot, rank in places:
                found.setdefault(slot, {}).setdefault(rank, []).append(name)
            if not places or self._is_kept(places):
                rest.append(name)
        steps: list[tuple[int, str, Read]] = []
        spread: list[Step] = []
        others: dict[int, tuple[Step, ...]] = {}
        for slot, by_rank in sorted(found.items()):
            best, *next_best = (self._step(slot, rank, keys) for rank, keys in sorted(by_rank.items()))
            if best.keys:
                spread.append(best)
            else:
                steps.append((slot, best.key, best.read))
            if next_best:
                others[slot] = tuple(next_best)
                if not best.content:
                    rest.extend(step.key for step in next_best if step.key not in rest)
        warnings: set[str] = set()
        if len(rest) > MAX_ATTRIBUTES:
            warnings.add("attributes_dropped")
            del rest[MAX_ATTRIBUTES:]
        names_stored = tuple(_stored_name(name, warnings) for name in rest)
        convention = self._convention(found)
        return Plan(tuple(steps), tuple(spread), others, tuple(rest), names_stored, frozenset(warnings), convention)

    def _is_kept(self, places: Iterable[tuple[int, int]]) -> bool:
        """Whether an attribute that fills a field is kept too, because it says more than that."""
        return any(self._source(*place).reading == "model_in_json" for place in places)

    def _source(self, slot: int, rank: int) -> Source:
        return self._fields[slot].sources[rank]

    def _step(self, slot: int, rank: int, keys: list[str]) -> Step:
        source = self._source(slot, rank)
        content = self._fields[slot].content
        if source.attribute.endswith(".*"):
            return Step(slot, source, source.attribute[:-1], _unread, tuple(keys), content)
        return Step(slot, source, source.attribute, reader_of(source), (), content)

    def _convention(self, found: Mapping[int, Mapping[int, list[str]]]) -> str:
        seen = {self._source(slot, rank).convention for slot, ranks in found.items() for rank in ranks}
        return next((one for one in CONVENTION_ORDER if one in seen), "")

    def source_of(self, slot: int, name: str) -> Source:
        """The rule by which an attribute fills a field."""
        return next(source for source in self._fields[slot].sources if source.attribute == name)


def assemble(step: Step, attributes: Mapping[str, Value]) -> str:
    """The body that is spread over a step's attributes."""
    start = len(step.key)
    return _ASSEMBLE[step.source.reading]((key[start:], attributes[key]) for key in step.keys)


def warning_for(source: Source) -> str:
    """The code that says a source's value could not be read; "" for readings that take everything."""
    return WARNING_OF_READING.get(source.reading, "")


def _stored_name(name: str, warnings: set[str]) -> str:
    if len(name) > MAX_ATTRIBUTE_NAME:
        warnings.add("attribute_cut")
    return clean(name[:MAX_ATTRIBUTE_NAME], warnings)


def _numbered(name: str, prefix: str) -> bool:
    return name[len(prefix) :].split(".", 1)[0].isdecimal()


def _unread(value: Value) -> None:
    raise AssertionError(f"a field that is spread over attributes is assembled, not read: {value!r}")
