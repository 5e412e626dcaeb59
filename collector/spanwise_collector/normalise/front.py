"""From a span's attributes, still bytes, to the values of the table's fields.

A span whose attributes have names in an order that was met before, and the same provider, model and other labels, takes
a short way: its labels are one look-up, and only what differs from span to span (ids, counts, bodies) is read. Any
other is read by its plan (`Front.anew`). Both ways give the same, which a test holds for any attributes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from spanwise_collector.normalise.fill import fill, fill_spread, labels_of, rest_of
from spanwise_collector.normalise.labels import Labels
from spanwise_collector.normalise.plan import LABELS, Plan, Planner
from spanwise_collector.normalise.raw_attributes import RawAttributes, UnreadableAttributeError
from spanwise_collector.normalise.readings import Read
from spanwise_collector.normalise.takers import Take
from spanwise_collector.normalise.values import Value, to_text
from spanwise_schemas.conventions import SPAN_FIELDS

_MAX_SHAPES: Final = 256
_MAX_COMBINATIONS: Final = 512
_MAX_ATTRIBUTES: Final = 64


class Filled:
    """A span's attributes, read. No dataclass: one is made for every span, and compiled this is six times as fast.

    Attributes:
        plan: of its shape.
        labels: fields with few values.
        values: of all fields, in the table's order; a list of its own.
        changes: fields that another source than the plan's best gave, with its name; a dict of its own.
        rest: names and texts of attributes that fill no column.
        raw: content attributes kept as sent; a dict of its own.
    """

    __slots__ = ("changes", "labels", "plan", "raw", "rest", "values")

    def __init__(
        self,
        plan: Plan,
        labels: Labels,
        values: list[Any],
        changes: dict[int, str],
        rest: tuple[Sequence[str], Sequence[str]],
        raw: dict[str, str],
    ) -> None:
        self.plan = plan
        self.labels = labels
        self.values = values
        self.changes = changes
        self.rest = rest
        self.raw = raw


@dataclass(frozen=True, slots=True)
class _Known:
    """What a combination of the attributes that do not vary gives."""

    labels: Labels
    values: list[Any]
    changes: dict[int, str]
    rest: tuple[Sequence[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """Spans with the same attribute names in the same order.

    Attributes:
        plan: theirs.
        constant: a span's attributes that do not vary.
        takes: those that do: position, the bytes of the name, slot and the way to its value, once for each field.
        known: combinations met before, filled as they come.
    """

    plan: Plan
    constant: Callable[[Sequence[bytes]], tuple[bytes, ...]]
    takes: tuple[tuple[int, bytes, int, Take], ...]
    known: dict[tuple[bytes, ...], _Known]


class Front:
    """Reads the attributes of spans. Holds caches only: the same attributes always give the same values."""

    def __init__(self) -> None:
        self._attributes = RawAttributes()
        self._planner = Planner(SPAN_FIELDS, LABELS)
        self._shapes: dict[tuple[tuple[str, ...], int], list[_Shape]] = {}
        self._count = 0

    def read(self, raws: list[bytes], variant: tuple[str, ...], warnings: set[str]) -> Filled:
        """A span's attributes.

        Args:
            raws: serialised `KeyValue` messages.
            variant: which rules for certain scopes hold, by `variant_of`.
            warnings: receives the codes of what was repaired or could not be read.

        Raises:
            UnreadableAttributeError: one of them is broken or not UTF-8.
        """
        for shape in self._shapes.get((variant, len(raws)), ()):
            known = shape.known.get(shape.constant(raws))
            if known is not None:
                found = self._recalled(shape, known, raws, warnings)
                if found is not None:
                    return found
        return self.anew(raws, variant, warnings)

    def _recalled(self, shape: _Shape, known: _Known, raws: list[bytes], warnings: set[str]) -> Filled | None:
        """The short way; None where something is not as in the spans before."""
        values = known.values[:]
        notes: set[str] = set()
        try:
            for position, head, slot, take in shape.takes:
                raw = raws[position]
                if not raw.startswith(head):
                    return None
                found = take.take(raw, notes)
                if found is None:
                    return None
                values[slot] = found
        except UnicodeDecodeError as error:
            raise UnreadableAttributeError(str(error)) from None
        if notes:
            warnings |= notes
        if known.labels.warnings or shape.plan.warnings:
            warnings.update(known.labels.warnings, shape.plan.warnings)
        return Filled(shape.plan, known.labels, values, known.changes.copy(), known.rest, {})

    def anew(self, raws: list[bytes], variant: tuple[str, ...], warnings: set[str]) -> Filled:
        """The long way; arguments and errors as in `read`."""
        before = len(warnings)
        attributes = self._attributes.read(raws, warnings)
        plan = self._planner.plan(tuple(attributes), variant)
        labels = labels_of(plan, attributes)
        values = labels.values[:]
        unread = list(labels.unread)
        changes = dict(labels.changes)
        fill(values, plan.steps, plan, attributes, warnings, unread, changes)
        fill_spread(values, plan, attributes)
        rest = rest_of(plan, unread, attributes, warnings)
        if len(warnings) == before and not unread and not plan.raw and len(attributes) == len(raws):
            self._learn(raws, variant, plan, _Known(labels, values[:], changes.copy(), rest), attributes)
        if labels.warnings or plan.warnings:
            warnings.update(labels.warnings, plan.warnings)
        raw = {key: to_text(attributes[key]) for key in plan.raw}
        return Filled(plan, labels, values, changes, rest, raw)

    def _learn(
        self,
        raws: list[bytes],
        variant: tuple[str, ...],
        plan: Plan,
        known: _Known,
        attributes: Mapping[str, Value],
    ) -> None:
        """Remember a combination, and its shape where that is new."""
        if len(raws) > _MAX_ATTRIBUTES:
            return
        shapes = self._shapes.setdefault((variant, len(raws)), [])
        shape = next((one for one in shapes if one.plan is plan), None)
        if shape is None:
            made = _shape(raws, plan, attributes, self._attributes)
            if made is None or self._count >= _MAX_SHAPES:
                return
            shapes.append(made)
            self._count += 1
            shape = made
        elif len(shape.known) >= _MAX_COMBINATIONS:
            # Something among the constants varies after all: learnt anew, it is known by now.
            shapes.remove(shape)
            self._count -= 1
            return
        if any(slot in known.changes for _, _, slot, _ in shape.takes):
            return  # not the usual values; a span that has them is learnt from
        for _, _, slot, _ in shape.takes:
            known.values[slot] = None
        shape.known[shape.constant(raws)] = known


def _shape(raws: Sequence[bytes], plan: Plan, attributes: Mapping[str, Value], reader: RawAttributes) -> _Shape | None:
    """The shape of a span; None where its names cannot be told from their bytes alone, or too few do not vary."""
    steps: dict[str, list[tuple[int, Read]]] = {}
    for slot, key, read in plan.steps:
        steps.setdefault(key, []).append((slot, read))
    rest = set(plan.rest)
    takes: list[tuple[int, bytes, int, Take]] = []
    constant: list[int] = []
    for position, (name, raw) in enumerate(zip(attributes, raws, strict=True)):
        head = reader.head(name, raw)
        if not head:
            return None
        if name in steps and name not in rest:
            takes += [(position, head, slot, reader.taker(read, len(head))) for slot, read in steps[name]]
        else:
            constant.append(position)
    if len(constant) < 2:
        return None
    return _Shape(plan, itemgetter(*constant), tuple(takes), {})
