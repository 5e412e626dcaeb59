"""What a made-up history is of: spans, scores and traces as values."""

from dataclasses import dataclass, field

AttributeValue = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class MadeSpan:
    """One span. Times are nanoseconds since the epoch; ids are bytes; `error_type` is empty where it went well."""

    span_id: bytes
    parent_id: bytes
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, AttributeValue]
    error_type: str = ""
    error_message: str = ""


@dataclass(frozen=True, slots=True)
class MadeScore:
    """A score of the whole trace, given at `time_ns`; `inclusion` is the chance with which it was chosen for it."""

    score_id: str
    name: str
    value: float
    label: str
    source: str
    time_ns: int
    evaluator: str = ""
    version: str = ""
    explanation: str = ""
    inclusion: float = 1.0
    stratum: str = ""


@dataclass(slots=True)
class MadeTrace:
    """One answered question: who asked where, its spans (root first) and its scores."""

    trace_id: bytes
    environment: str
    release: str
    spans: list[MadeSpan] = field(default_factory=list)
    scores: list[MadeScore] = field(default_factory=list)
