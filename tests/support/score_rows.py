"""Scores as rows for tests of the store: say what matters, the rest has plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import pyarrow as pa

from spanwise_collector.store.database import Database
from tests.support.rows import T0, span_id, trace_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One score; time in seconds after `T0`, ids as numbers (0: none)."""

    trace: int = 0
    span: int = 0
    session: str = ""
    project: str = "default"
    name: str = "helpful"
    value: float | None = 1.0
    label: str = ""
    explanation: str = ""
    source: str = "llm"
    evaluator: str = "judge"
    evaluator_version: str = "1"
    at: float = 0.0
    chance: float = 1.0
    version: int = 1
    deleted: bool = False
    zero: datetime = T0

    @property
    def id(self) -> bytes:
        """Follows from what is scored by whom, as decision 0012 says."""
        parts = (self.project, self.trace, self.span, self.session, self.name, self.evaluator, self.evaluator_version)
        return blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest()

    @property
    def target(self) -> str:
        """What is scored."""
        return "span" if self.span else "trace" if self.trace else "session"


def human(**values: object) -> Scored:
    """A reviewer's verdict."""
    return Scored(**{"source": "human", "evaluator": "ann", "evaluator_version": "", **values})  # type: ignore[arg-type]


_SCHEMA = pa.schema(
    [
        ("project_id", pa.string()),
        ("score_id", pa.binary(16)),
        ("target", pa.string()),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("session_id", pa.string()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("explanation", pa.string()),
        ("source", pa.string()),
        ("evaluator", pa.string()),
        ("evaluator_version", pa.string()),
        ("inclusion_p", pa.float64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("version", pa.uint64()),
        ("is_deleted", pa.uint8()),
    ]
)


def insert_scores(database: Database, scores: Sequence[Scored]) -> None:
    """Insert scores as one batch."""
    rows = [_row(one) for one in scores]
    token = blake2b("".join(map(str, scores)).encode()).hexdigest()
    database.insert("scores", pa.RecordBatch.from_pylist(rows, schema=_SCHEMA), token=f"scores:{token}")


def _row(score: Scored) -> dict[str, object]:
    return {
        "project_id": score.project,
        "score_id": score.id,
        "target": score.target,
        "trace_id": trace_id(score.trace),
        "span_id": span_id(score.span),
        "session_id": score.session,
        "name": score.name,
        "value": score.value,
        "label": score.label,
        "explanation": score.explanation,
        "source": score.source,
        "evaluator": score.evaluator,
        "evaluator_version": score.evaluator_version,
        "inclusion_p": score.chance,
        "ts": (score.zero + timedelta(seconds=score.at)).astimezone(UTC),
        "version": score.version,
        "is_deleted": int(score.deleted),
    }
