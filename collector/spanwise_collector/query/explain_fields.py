"""Each field of a span with the rule that gave it, from the mapping that was stored with the span."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from spanwise_schemas.api_explain import FieldOrigin, Origin, OtherSource
from spanwise_schemas.conventions import READINGS, RESOURCE_FIELDS, SPAN_FIELDS, Field, Source

LONGEST_VALUE: Final = 1000
_EXTRA: Final = ("tok_total", "tok_audio_input", "tok_audio_output", "tok_cache_write_1h")
_COLUMN_OF: Final[Mapping[str, str]] = {
    "input": "input_preview",
    "output": "output_preview",
    "cost_total": "cost_reported_n",
    "error_message": "status_message",
    "error_level": "status",
}
_RESOURCE_COLUMNS: Final = ("env", "service", "release", "sdk")
_READINGS: Final = {**READINGS, "kind": "a word from the convention's own list of kinds"}
_OUTSIDE: Final = ("resource.", "scope.")
_DERIVED: Final[Mapping[str, tuple[Origin, str]]] = {
    "kind": ("derived", "no attribute says it, and a span with a model and tokens is a model call"),
    "error_type": ("event", "type of the exception that was recorded as a span event"),
    "error_message": ("derived", "the span's status message, or the recorded exception"),
    "ttft_us": ("event", "the event that marks the first token, or the time that an attribute gives for it"),
}


def field_origins(row: Mapping[str, Any]) -> list[FieldOrigin]:
    """The fields that have a value, in the table's order; then those of the resource.

    Args:
        row: columns of `spans` by name, with `raw` of `span_io`.
    """
    mapping: dict[str, str] = json.loads(row["mapping"]) if row["mapping"] else {}
    found = []
    for one in SPAN_FIELDS:
        giver = mapping.get(one.name, "")
        value = _value(one.name, row)
        if giver:
            found.append(_given(one, giver, value, row))
        elif value and one.name in _DERIVED and not (one.name == "kind" and value == "other"):
            origin, reading = _DERIVED[one.name]
            found.append(FieldOrigin(field=one.name, meaning=one.meaning, value=value, origin=origin, reading=reading))
    return found + list(_of_resource(row))


def left_over(attributes: Mapping[str, str], fields: Sequence[FieldOrigin]) -> tuple[dict[str, str], dict[str, str]]:
    """Attributes that fill no field, and those of resource and scope.

    Args:
        attributes: the span's, as kept.
        fields: what was read from attributes.
    """
    named = {one.attribute for one in fields} | {other.attribute for one in fields for other in one.others}
    rest = {key: value for key, value in sorted(attributes.items()) if not _is_named(key, named)}
    outside = {key: value for key, value in rest.items() if key.startswith(_OUTSIDE)}
    return {key: value for key, value in rest.items() if key not in outside}, outside


def _is_named(key: str, named: set[str]) -> bool:
    return key in named or any(name.endswith(".*") and key.startswith(name[:-1]) for name in named)


def _given(one: Field, giver: str, value: str, row: Mapping[str, Any]) -> FieldOrigin:
    """A field that the mapping names."""
    if not value and one.name.startswith("tok_"):
        value = "0"  # it was sent: none were used
    others = _others(one, giver, row)
    if giver.startswith("@"):
        body = giver[1:]
        return FieldOrigin(
            field=one.name,
            meaning=one.meaning,
            value=value,
            origin="body" if body in ("input", "output") else "event",
            attribute=body,
            reading="no attribute gives it",
            others=others,
        )
    rules = [source for source in one.sources if source.attribute == giver and holds(source, row["scope"])]
    if not rules:
        note = "a rule that the table in use no longer has"
        return FieldOrigin(
            field=one.name,
            meaning=one.meaning,
            value=value,
            origin="attribute",
            attribute=giver,
            reading=note,
            others=others,
        )
    return FieldOrigin(
        field=one.name,
        meaning=one.meaning,
        value=value,
        origin="attribute",
        attribute=giver,
        path=" or ".join(".".join(rule.path) for rule in rules if rule.path),
        convention=rules[0].convention,
        reading=_READINGS[rules[0].reading],
        others=others,
    )


def holds(source: Source, scope: str) -> bool:
    """Whether a rule holds in the spans of an instrumentation scope."""
    return not source.scopes or scope.lower().startswith(source.scopes)


def _others(one: Field, giver: str, row: Mapping[str, Any]) -> list[OtherSource]:
    """Attributes of the field's other rules that are present too."""
    found: dict[str, OtherSource] = {}
    for source in one.sources:
        if source.attribute == giver or not holds(source, row["scope"]):
            continue
        for kept in (row["attrs"], row["raw"]):
            for key in _present(source.attribute, kept):
                found.setdefault(key, OtherSource(attribute=key, convention=source.convention, value=_short(kept[key])))
    return list(found.values())


def _present(attribute: str, kept: Mapping[str, str]) -> Iterator[str]:
    if attribute.endswith(".*"):
        # `gen_ai.prompt.name` is a name of its own; messages spread over attributes are numbered.
        start = attribute[:-1]
        yield from (key for key in kept if key.startswith(start) and key[len(start) : len(start) + 1].isdecimal())
    elif attribute in kept:
        yield attribute


def _of_resource(row: Mapping[str, Any]) -> Iterator[FieldOrigin]:
    rules = {one.name: one for one in RESOURCE_FIELDS}
    for column in _RESOURCE_COLUMNS:
        value = str(row[column])
        if not value:
            continue
        names = ("sdk_name", "sdk_version") if column == "sdk" else (column,)
        candidates = [source.attribute for name in names for source in rules[name].sources]
        yield FieldOrigin(
            field=column,
            meaning="SDK that sent it, with its version" if column == "sdk" else rules[column].meaning,
            value=value,
            origin="resource",
            reading=f"the first there is of {', '.join(candidates)}",
        )


def _value(name: str, row: Mapping[str, Any]) -> str:
    """A field's value as text; "" where it has none."""
    if name in _EXTRA:
        return _text(row["usage_extra"].get(name.removeprefix("tok_")))
    if name in ("cost_total", "cost_input", "cost_output"):
        nano = row[_COLUMN_OF.get(name, f"{name}_n")]
        return f"{nano / 1e9:.9f}".rstrip("0").rstrip(".") + " USD" if nano >= 0 else ""
    if name == "streaming":
        return "true" if row["streaming"] else ""
    return _text(row.get(_COLUMN_OF.get(name, name)))


def _text(value: object) -> str:
    if value is None or value == 0:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
