"""Masking of OTLP messages: every text that the message type has, found by walking its descriptors.

A field that a later version of the protocol adds is masked without a change here. Messages are taken as they come, so
that the schemas need no protobuf.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from spanwise_schemas.masking import KEY, STRUCTURAL, Masks

_COMMON: Final = "opentelemetry.proto.common.v1."
_STATUS: Final = "opentelemetry.proto.trace.v1.Status"
_IDS: Final = frozenset({"trace_id", "span_id", "parent_span_id"})
# Numbers of FieldDescriptor.TYPE_* and LABEL_REPEATED, fixed by protobuf's descriptor.proto.
_MESSAGE, _TEXT, _BYTES, _REPEATED = 11, 9, 12, 3


@dataclass(frozen=True, slots=True)
class _Plan:
    """Fields of a message type in which texts can be."""

    texts: tuple[str, ...]
    text_lists: tuple[str, ...]
    raw: tuple[str, ...]
    messages: tuple[str, ...]
    message_lists: tuple[str, ...]


class MessageMask:
    """Masks messages in place.

    Args:
        masks: patterns and names; None for none.
        function: run before them on values: attributes at any depth, log bodies, messages of a status. Must not raise.
        spared: attributes whose values the function does not see.
    """

    def __init__(
        self, masks: Masks | None, function: Callable[[str], str] | None = None, spared: frozenset[str] = frozenset()
    ) -> None:
        self._masks = masks or Masks()
        self._function = function
        self._spared = spared

    def apply(self, message: Any) -> bool:
        """Mask a message and all in it.

        Args:
            message: an OTLP message: a request, a span, a resource.

        Returns:
            Whether anything was changed. What this version of the protocol does not know is removed, because nobody can
            tell what it holds.
        """
        before = message.ByteSize()
        message.DiscardUnknownFields()
        unknown = bool(message.ByteSize() != before)
        return self._message(message) or unknown

    def _message(self, message: Any) -> bool:
        name = message.DESCRIPTOR.full_name
        if name == _COMMON + "KeyValue":
            return self._pair(message, structural=False, spared=False)
        if name == _COMMON + "AnyValue":
            return self._value(message, structural=False, spared=False)
        plan = _plan(message.DESCRIPTOR)
        changed = self._texts(message, plan, spared=name != _STATUS)
        for field in plan.raw:
            changed |= self._raw(message, field)
        for field in plan.messages:
            if message.HasField(field):
                changed |= self._message(getattr(message, field))
        for field in plan.message_lists:
            for inner in getattr(message, field):
                changed |= self._message(inner)
        return changed

    def _texts(self, message: Any, plan: _Plan, *, spared: bool) -> bool:
        changed = False
        for field in plan.texts:
            text = getattr(message, field)
            masked = self._text(text, spared=spared) if text else text
            if masked != text:
                setattr(message, field, masked)
                changed = True
        for field in plan.text_lists:
            texts = list(getattr(message, field))
            all_masked = [self._masks.text(text) for text in texts]
            if all_masked != texts:
                getattr(message, field)[:] = all_masked
                changed = True
        return changed

    def _text(self, text: str, *, spared: bool) -> str:
        if self._function is not None and not spared:
            text = self._function(text)
        return self._masks.text(text)

    def _pair(self, pair: Any, *, structural: bool, spared: bool) -> bool:
        key = pair.key
        value = pair.value
        kind = value.WhichOneof("value")
        if self._masks.hides(key, number=kind not in ("string_value", "bytes_value")):
            changed = kind is not None and value.string_value != KEY
            if changed:
                value.string_value = KEY
        else:
            changed = self._value(
                value, structural=structural or key in STRUCTURAL, spared=spared or key in self._spared
            )
        masked = self._masks.text(key)
        if masked != key:
            pair.key = masked
            changed = True
        return changed

    def _value(self, value: Any, *, structural: bool, spared: bool) -> bool:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            if structural:
                return False
            text = value.string_value
            masked = self._text(text, spared=spared)
            if masked != text:
                value.string_value = masked
            return bool(masked != text)
        changed = False
        if kind == "array_value":
            for item in value.array_value.values:
                changed |= self._value(item, structural=structural, spared=spared)
        elif kind == "kvlist_value":
            for pair in value.kvlist_value.values:
                changed |= self._pair(pair, structural=structural, spared=spared)
        elif kind == "bytes_value" and not structural:
            changed = self._raw(value, "bytes_value")
        return changed

    def _raw(self, message: Any, field: str) -> bool:
        """Bytes may hold a text; what is none stays as it is, byte for byte."""
        data = getattr(message, field)
        text = data.decode("utf-8", "surrogateescape")
        masked = self._masks.text(text)
        if masked == text:
            return False
        setattr(message, field, masked.encode("utf-8", "surrogateescape"))
        return True


@lru_cache(maxsize=256)
def _plan(descriptor: Any) -> _Plan:
    def of(kind: int, *, repeated: bool) -> tuple[str, ...]:
        return tuple(
            one.name
            for one in descriptor.fields
            if one.type == kind and is_repeated(one) is repeated and one.name not in _IDS
        )

    return _Plan(
        texts=of(_TEXT, repeated=False),
        text_lists=of(_TEXT, repeated=True),
        raw=of(_BYTES, repeated=False),
        messages=of(_MESSAGE, repeated=False),
        message_lists=of(_MESSAGE, repeated=True),
    )


def is_repeated(field: Any) -> bool:
    """Whether a field descriptor is of a list; older versions of protobuf say it by a label, which newer deprecate."""
    found = getattr(field, "is_repeated", None)
    return bool(field.label == _REPEATED if found is None else found)
