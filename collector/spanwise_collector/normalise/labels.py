"""Fields with few values: what they are, and their columns, remembered.

Provider, model, agent, tags, prompt and their like are the same in thousands of spans. Reading, checking and cutting
them is done once for each combination that a shape of span has; the next span with the same values gets them whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from spanwise_collector.normalise.context import cut
from spanwise_collector.normalise.limits import MAX_TAGS
from spanwise_collector.normalise.plan import SLOT
from spanwise_schemas.attributes import KINDS

_KIND_NUMBER: Final[dict[str, int]] = {kind: number for number, kind in enumerate(KINDS)}
_TEXTS: Final = tuple(SLOT[name] for name in ("agent_name", "tool_name", "prompt_name", "prompt_version"))
_TAGS: Final = SLOT["tags"]
_MODELS: Final = tuple(SLOT[name] for name in ("provider", "model_request", "model_response", "finish_reason"))
_ERROR_TYPE: Final = SLOT["error_type"]


@dataclass(frozen=True, slots=True)
class Labels:
    """What a combination of label values gives.

    Attributes:
        values: of all fields, in the table's order; None in those that are no labels.
        unread: attributes meant for a label that could not be read.
        changes: fields that another source than the plan's best gave, with its name.
        warnings: of reading and cutting.
        error_type: its column.
        columns: agent, tool, prompt name and version, tags, provider, both models, finish reason.
    """

    values: list[Any]
    unread: tuple[str, ...]
    changes: tuple[tuple[int, str], ...]
    warnings: frozenset[str]
    error_type: str
    columns: tuple[Any, ...]


def kind_number(kind: str) -> int:
    """The number that stands for a kind in the tables."""
    return _KIND_NUMBER[kind]


def label_columns(values: Sequence[Any], warnings: set[str]) -> tuple[Any, ...]:
    """The columns of labels, as long as columns may be."""
    tags = values[_TAGS]
    return (
        *(_text(values[slot], warnings) for slot in _TEXTS),
        [cut(tag, warnings) for tag in tags[:MAX_TAGS]] if tags else (),
        *(_text(values[slot], warnings) for slot in _MODELS),
    )


def error_type_column(values: Sequence[Any], warnings: set[str]) -> str:
    """The column of the error's class."""
    return _text(values[_ERROR_TYPE], warnings)


def _text(value: str | None, warnings: set[str]) -> str:
    return cut(value, warnings) if value else ""
