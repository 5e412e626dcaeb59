"""What experiments are made of: items, and errors by remedy."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spanwise._errors import SpanwiseError


class ExperimentError(SpanwiseError):
    """An experiment cannot begin, or cannot be compared; the message says why and what to do.

    What goes wrong in the task or in an evaluator while it runs is no such error: it is in the results.
    """


@dataclass(frozen=True, slots=True)
class Item:
    """What a task is given.

    Attributes:
        id: names the item in all experiments; by default made from its input.
        input: text, or any JSON.
        expected: a good output; None where nobody said.
        metadata: everything else that is known of it.
        group: items of one group are not independent: those of one conversation, say.
    """

    id: str
    input: Any
    expected: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""


def id_of(value: Any) -> str:
    """The id of an input, as the collector makes it: the same input has the same id."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def as_text(value: Any) -> str:
    """A value for an evaluator: text as it is, anything else as JSON; "" for none."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def as_json(value: Any) -> Any:
    """A value that can be sent: what is no JSON becomes text."""
    try:
        return json.loads(json.dumps(value, ensure_ascii=False, default=str, allow_nan=False))
    except (TypeError, ValueError):
        return str(value)
