"""The table of conventions, compiled: which attribute fills which field.

Spans of one call site carry the same attribute names in the same order. So the table is applied once per such *shape*
and the result, a `Plan`, is kept: for the next span of that shape, reading is a walk down a short list instead of forty
look-ups. The plan also is the explanation: it says for every field which rule gave it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json

from spanwise_collector.normalise.evaluations import tells_evaluations
from spanwise_collector.normalise.indexed import indexed_json, indexed_messages
from spanwise_collector.normalise.limits import MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTES
from spanwise_collector.normalise.messages.ai_sdk import ANSWER_PARTS, answer_of_parts
from spanwise_collector.normalise.readings import WARNING_OF_READING, Read, reader_of
from spanwise_collector.normalise.values import Value, clean, to_json
from spanwise_schemas.conventions import RECOGNISED, SPAN_FIELDS, Counting, Field, Reading, Source

if TYPE_CHECKING:
    from spanwise_collector.normalise.labels import Labels

SLOT: Final = {one.name: slot for slot, one in enumerate(SPAN_FIELDS)}
"""Positions of a span's fields in the table, which are their positions in the list of values."""
LABELS: Final = frozenset(
    SLOT[name]
    for name in (
        "kind",
        "provider",
        "model_request",
        "model_response",
        "tool_name",
        "agent_name",
        "finish_reason",
        "tags",
        "prompt_name",
        "prompt_version",
        "error_type",
    )
)
"""Slots of fields that have few values each."""
_MAX_PLANS: Final = 4096
_MAX_SHAPE_CHARACTERS: Final = 8192
"""Longer shapes are conversations spread over attributes: hardly two are alike, and keeping them would cost memory."""
_ASSEMBLE: Final[Mapping[str, Callable[[Iterable[tuple[str, Value]]], object]]] = {
    "indexed_messages": indexed_messages,
    "parameters_below": dict,
    "answer_parts": answer_of_parts,
    "ignored": lambda items: "",
}
_PUT_TOGETHER: Final = frozenset({"indexed_messages", "answer_parts"})
_SAYS_MORE: Final = frozenset({"error_level", "error_message", "usage", "output_format", "fingerprint"})
"""Fields whose attributes say more than the field keeps: a warning is no error, its words are no error's message; or of
which no column keeps anything."""
_NUMBERED: Final = frozenset({"indexed_messages", "indexed_json", "ignored"})
_SCOPES: Final = sorted(
    {scope for one in SPAN_FIELDS for source in one.sources for scope in (*source.scopes, *source.but_not)}
)


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
        label_steps: the best source of each label (`LABELS`) that has one: (slot, attribute, reading).
        label_values: a span's values of these attributes.
        labels: what combinations of them gave, filled as they come.
        labels_complete: whether these are all labels that the span has.
        steps: the best source of every other field that has one.
        spread: the same for fields that are spread over many attributes.
        sources: slot to the best source.
        others: slot to the sources that are next when the best cannot be read.
        rest: attributes that fill no column, kept as they are.
        rest_names: the names under which they are stored.
        raw: content attributes whose text is stored in no other column as it was sent.
        mapping: JSON object, field to the attribute that gave it.
        counting: what the main counts of input and output tokens hold.
        warnings: what was wrong with the names.
        convention: which convention the span follows, or "" where no name tells.
        tells_scores: whether evaluations are among the attributes that fill no column.
    """

    label_steps: tuple[tuple[int, str, Read], ...]
    label_values: Callable[[Mapping[str, Value]], tuple[Value, ...]]
    labels: "dict[tuple[Value, ...], Labels]"
    labels_complete: bool
    steps: tuple[tuple[int, str, Read], ...]
    spread: tuple[Step, ...]
    sources: Mapping[int, Source]
    others: Mapping[int, tuple[Step, ...]]
    rest: tuple[str, ...]
    rest_names: tuple[str, ...]
    raw: tuple[str, ...]
    mapping: str
    counting: tuple[Counting, Counting]
    warnings: frozenset[str]
    convention: str
    tells_scores: bool


class Planner:
    """Plans for one table of fields.

    Args:
        fields: the table; a field's position is its slot.
        labels: slots of fields that have few values each.
    """

    def __init__(self, fields: Sequence[Field], labels: frozenset[int] = frozenset()) -> None:
        self._fields = fields
        self._labels = labels
        self._exact: dict[str, list[tuple[int, int]]] = {}
        self._prefixes: list[tuple[str, int, int]] = []
        for slot, one in enumerate(fields):
            for rank, source in enumerate(one.sources):
                if source.attribute.endswith(".*"):
                    self._prefixes.append((source.attribute[:-1], slot, rank))
                else:
                    self._exact.setdefault(source.attribute, []).append((slot, rank))
        self._plans: dict[tuple[tuple[str, ...], tuple[str, ...]], Plan] = {}

    def plan(self, names: tuple[str, ...], variant: tuple[str, ...]) -> Plan:
        """The plan for spans with these attribute names, in this order.

        Args:
            names: of the attributes.
            variant: which rules for certain scopes hold, by `variant_of`.
        """
        key = (names, variant)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._make(names, variant)
            if sum(map(len, names)) > _MAX_SHAPE_CHARACTERS:
                return plan
            if len(self._plans) >= _MAX_PLANS:
                # Oldest out; applications with a new name in every span would otherwise fill memory.
                del self._plans[next(iter(self._plans))]
            self._plans[key] = plan
        return plan

    def _make(self, names: tuple[str, ...], variant: tuple[str, ...]) -> Plan:
        found: dict[int, dict[int, list[str]]] = {}
        rest: list[str] = []
        for name in names:
            places = self._places(name, variant)
            for slot, rank in places:
                found.setdefault(slot, {}).setdefault(rank, []).append(name)
            if not places or self._is_kept(places):
                rest.append(name)
        steps: list[tuple[int, str, Read]] = []
        spread: list[Step] = []
        others: dict[int, tuple[Step, ...]] = {}
        raw: list[str] = []
        lost: list[str] = []
        best_of: dict[int, Step] = {}
        for slot, by_rank in sorted(found.items()):
            best, *next_best = (self._step(slot, rank, keys) for rank, keys in sorted(by_rank.items()))
            best_of[slot] = best
            if best.keys:
                spread.append(best)
            else:
                steps.append((slot, best.key, best.read))
            if next_best:
                others[slot] = tuple(next_best)
                if not best.content:
                    lost.extend(step.key for step in next_best if not step.keys)
            if best.content:
                raw.extend(_raw_names(best, next_best))
        told = {step.key for step in best_of.values() if step.source.path is None}
        rest.extend(name for name in dict.fromkeys(lost) if name not in told and name not in rest)
        warnings: set[str] = set()
        if len(rest) > MAX_ATTRIBUTES:
            warnings.add("attributes_dropped")
            del rest[MAX_ATTRIBUTES:]
        names_stored = tuple(_stored_name(name, warnings) for name in rest)
        labels = tuple(step for step in steps if step[0] in self._labels and best_of[step[0]].source.path is None)
        return Plan(
            labels,
            _getter([key for _, key, _ in labels]),
            {},
            len(labels) == sum(slot in self._labels for slot in best_of),
            tuple(step for step in steps if step not in labels),
            tuple(spread),
            {slot: step.source for slot, step in best_of.items()},
            others,
            tuple(rest),
            names_stored,
            tuple(dict.fromkeys(raw)),
            to_json(
                {
                    self._fields[slot].name: step.source.attribute
                    for slot, step in best_of.items()
                    if step.source.reading != "ignored"
                }
            ),
            (_counting(best_of, "tok_input"), _counting(best_of, "tok_output")),
            frozenset(warnings),
            self._convention(found),
            tells_evaluations(names_stored),
        )

    def _places(self, name: str, variant: tuple[str, ...]) -> list[tuple[int, int]]:
        """Fields and ranks of the rules that an attribute meets."""
        places = self._exact.get(name)
        if places is None:
            places = [
                (slot, rank)
                for prefix, slot, rank in self._prefixes
                # `gen_ai.prompt.name` is a name of its own; below `gen_ai.prompt.` only numbers are messages.
                if name.startswith(prefix) and _is_below(name, prefix, self._source(slot, rank).reading)
            ]
        return [place for place in places if _holds(self._source(*place), variant)]

    def _is_kept(self, places: Iterable[tuple[int, int]]) -> bool:
        """Whether an attribute that fills a field is kept too, because it says more than that."""
        found = [(slot, self._source(slot, rank)) for slot, rank in places]
        # A body is stored as one.
        is_body = any(self._fields[slot].content and source.path is None for slot, source in found)
        return not is_body and any(self._tells_more(slot, source) for slot, source in found)

    def _tells_more(self, slot: int, source: Source) -> bool:
        field = self._fields[slot]
        return not field.content and bool(source.path or source.reading == "kind_of_path" or field.name in _SAYS_MORE)

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
        return next((one for one in RECOGNISED if one in seen), "")


def _holds(source: Source, variant: tuple[str, ...]) -> bool:
    """Whether a rule holds in the spans of a scope."""
    if not source.scopes and not source.but_not:
        return True
    is_in = not source.scopes or any(scope in variant for scope in source.scopes)
    return is_in and not any(scope in variant for scope in source.but_not)


def _getter(keys: Sequence[str]) -> Callable[[Mapping[str, Value]], tuple[Value, ...]]:
    """A function from attributes to the values of some of them; itemgetter needs two for a tuple."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda attributes: tuple(attributes[key] for key in keys)


@lru_cache(maxsize=1024)
def changed_mapping(mapping: str, changes: tuple[tuple[int, str], ...]) -> str:
    """A plan's mapping for a span in which other sources gave some of the values.

    Args:
        mapping: of the plan.
        changes: slot and what gave the value: an attribute, `@input` or `@output` for a body, "" for nothing.
    """
    found = from_json(mapping) | {SPAN_FIELDS[slot].name: giver for slot, giver in changes}
    return to_json({field: giver for field, giver in found.items() if giver})


def variant_of(scope: str) -> tuple[str, ...]:
    """Which rules for certain scopes hold in the spans of a scope: the starts of names that they ask for."""
    name = scope.lower()
    return tuple(start for start in _SCOPES if name.startswith(start))


def _raw_names(best: Step, others: Sequence[Step]) -> list[str]:
    """Attributes of a content field that are kept as sent: the ones that lost, and those put together from many."""
    lost = [name for step in others for name in (step.keys or (step.key,)) if step.source.reading != "ignored"]
    put_together = list(best.keys) if best.source.reading in _PUT_TOGETHER else []
    return put_together + lost


def _counting(best_of: Mapping[int, Step], field: str) -> Counting:
    step = best_of.get(SLOT[field])
    return step.source.counting if step else "inclusive"


def assemble(step: Step, attributes: Mapping[str, Value]) -> object:
    """What is spread over a step's attributes, put together."""
    start = len(step.key)
    items = ((key[start:], attributes[key]) for key in step.keys)
    if step.source.reading == "indexed_json":
        return indexed_json(items, step.source.path)
    if step.source.reading == "indexed_messages":
        return indexed_messages(items, "assistant" if step.slot == SLOT["output"] else "user")
    return _ASSEMBLE[step.source.reading](items)


def warning_for(source: Source) -> str:
    """The code that says a source's value could not be read; "" for readings that take everything."""
    return WARNING_OF_READING.get(source.reading, "")


def _stored_name(name: str, warnings: set[str]) -> str:
    if len(name) > MAX_ATTRIBUTE_NAME:
        warnings.add("attribute_cut")
    return clean(name[:MAX_ATTRIBUTE_NAME], warnings)


def _is_below(name: str, prefix: str, reading: Reading) -> bool:
    """Whether a name below a prefix is one that the reading puts together."""
    rest = name[len(prefix) :]
    if reading in _NUMBERED:
        return rest.split(".", 1)[0].isdecimal()
    return reading != "answer_parts" or rest in ANSWER_PARTS


def _unread(value: Value) -> None:
    raise AssertionError(f"a field that is spread over attributes is assembled, not read: {value!r}")
