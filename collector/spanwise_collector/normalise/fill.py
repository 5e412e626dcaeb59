"""A plan applied: attributes become the values of the table's fields."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from spanwise_collector.normalise.arrays import Array
from spanwise_collector.normalise.labels import Labels, error_type_column, label_columns
from spanwise_collector.normalise.limits import MAX_ATTRIBUTE_VALUE, MAX_COUNT
from spanwise_collector.normalise.plan import SLOT, Plan, assemble, warning_for
from spanwise_collector.normalise.readings import Read
from spanwise_collector.normalise.values import Value, to_text
from spanwise_schemas.conventions import SPAN_FIELDS, Counting

_EMPTY: Final[list[Any]] = [None] * len(SPAN_FIELDS)
_MAX_LABELS: Final = 256
_USAGE: Final = SLOT["usage"]


def labels_of(plan: Plan, attributes: dict[str, Value]) -> Labels:
    """The labels of a span, from memory where its combination is known."""
    key = plan.label_values(attributes)
    try:
        found = plan.labels.get(key)
    except TypeError:  # a map among them
        return _read_labels(plan, attributes)
    if found is None:
        found = _read_labels(plan, attributes)
        # Texts and arrays are told apart by what they hold; 1, 1.0 and True are not, so these are read anew each time.
        if all(type(value) is str or type(value) is Array for value in key):
            if len(plan.labels) >= _MAX_LABELS:
                plan.labels.clear()
            plan.labels[key] = found
    return found


def _read_labels(plan: Plan, attributes: dict[str, Value]) -> Labels:
    values = _EMPTY[:]
    unread: list[str] = []
    changes: dict[int, str] = {}
    warnings: set[str] = set()
    fill(values, plan.label_steps, plan, attributes, warnings, unread, changes)
    columns = label_columns(values, warnings)
    error_type = error_type_column(values, warnings)
    return Labels(values, tuple(unread), tuple(changes.items()), frozenset(warnings), error_type, columns)


def fill(
    values: list[Any],
    steps: Iterable[tuple[int, str, Read]],
    plan: Plan,
    attributes: dict[str, Value],
    warnings: set[str],
    unread: list[str],
    changes: dict[int, str],
) -> None:
    """Fill fields from single attributes.

    Args:
        values: of all fields, in the table's order; filled in place.
        steps: of the plan, those to take.
        plan: of the span.
        attributes: of the span.
        warnings: receives what could not be read.
        unread: receives attributes that were meant for a field but could not be read.
        changes: receives the fields that another source than the plan's best gave: slot to its name.
    """
    for slot, key, read in steps:
        value = read(attributes[key])
        if value is None:
            source = plan.sources[slot]
            # A member that is not there is no value that cannot be read.
            warning = warning_for(source) if source.path is None else ""
            if warning:
                warnings.add(warning)
                unread.append(key)
            value, changes[slot] = _next_best(plan, slot, attributes)
        values[slot] = value


def fill_spread(values: list[Any], plan: Plan, attributes: dict[str, Value]) -> None:
    """Fill fields that are spread over many attributes."""
    for step in plan.spread:
        values[step.slot] = assemble(step, attributes)


def fill_usage(values: list[Any], plan: Plan, changes: dict[int, str]) -> tuple[Counting, Counting]:
    """Take the token counts of a usage object.

    One with the input's count is what the provider said, so it goes before attributes; another one only adds what they
    leave out.

    Args:
        values: of the fields, in the table's order; changed in place.
        plan: of the span.
        changes: receives the fields that the object filled.

    Returns:
        What the main counts of input and output hold.
    """
    counts: dict[str, int] = {field: count for field, count in values[_USAGE].items() if count <= MAX_COUNT}
    giver = plan.sources[_USAGE].attribute
    for field, count in counts.items():
        slot = SLOT[field]
        if values[slot] is None or "tok_input" in counts:
            values[slot] = count
            changes[slot] = giver
    of_input, of_output = plan.counting
    return (
        "inclusive" if changes.get(SLOT["tok_input"]) == giver else of_input,
        "inclusive" if changes.get(SLOT["tok_output"]) == giver else of_output,
    )


def _next_best(plan: Plan, slot: int, attributes: dict[str, Value]) -> tuple[object, str]:
    """The value of the next source that can be read, and its name; None and "" without one."""
    for step in plan.others.get(slot, ()):
        found = assemble(step, attributes) if step.keys else step.read(attributes[step.key])
        if found is not None:
            return found, step.source.attribute
    return None, ""


def rest_of(
    plan: Plan, unread: list[str], attributes: dict[str, Value], warnings: set[str]
) -> tuple[Sequence[str], Sequence[str]]:
    """Names and texts of everything that filled no column."""
    texts = []
    for key in plan.rest:
        value = attributes[key]
        text = value if type(value) is str else to_text(value)
        if len(text) > MAX_ATTRIBUTE_VALUE:
            warnings.add("attribute_cut")
            text = text[:MAX_ATTRIBUTE_VALUE]
        texts.append(text)
    if not unread:
        return plan.rest_names, texts
    texts += [to_text(attributes[key])[:MAX_ATTRIBUTE_VALUE] for key in unread]
    return (*plan.rest_names, *unread), texts
