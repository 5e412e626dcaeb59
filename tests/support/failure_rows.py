"""Failures as rows for tests of the store: say what matters, the rest has plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from spanwise_collector.store.database import Database
from tests.support.rows import T0, span_id, trace_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One failure; its time in minutes after `T0`, ids as numbers."""

    fingerprint: int
    at: float = 0.0
    trace: int = 1
    span: int = 1
    cls: str = "rate_limit"
    title: str = "Too many requests"
    message: str = ""
    name: str = "ask"
    user: str = ""
    model: str = "m-1"
    release: str = "v1"
    env: str = "prod"
    prompt: tuple[str, str] = ("", "")
    cost: int = 0
    project: str = "default"
    error_type: str = ""
    provider: str = ""

    @property
    def time(self) -> datetime:
        """UTC."""
        return T0 + timedelta(minutes=self.at)


_SCHEMA = pa.schema(
    [
        ("project_id", pa.string()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("failure_class", pa.string()),
        ("title", pa.string()),
        ("message", pa.string()),
        ("fingerprint", pa.uint64()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("env", pa.string()),
        ("release", pa.string()),
        ("model", pa.string()),
        ("provider", pa.string()),
        ("prompt_name", pa.string()),
        ("prompt_version", pa.string()),
        ("user_id", pa.string()),
        ("cost_n", pa.int64()),
        ("duration_us", pa.uint64()),
        ("error_type", pa.string()),
        ("retention_days", pa.uint16()),
    ]
)


def insert_failures(database: Database, failures: Sequence[Failed]) -> None:
    """Insert failures as one batch."""
    rows = [
        {
            "project_id": one.project,
            "time": one.time,
            "trace_id": trace_id(one.trace),
            "span_id": span_id(one.span),
            "failure_class": one.cls,
            "title": one.title,
            "message": one.message,
            "fingerprint": one.fingerprint,
            "kind": "llm",
            "name": one.name,
            "env": one.env,
            "release": one.release,
            "model": one.model,
            "provider": one.provider,
            "prompt_name": one.prompt[0],
            "prompt_version": one.prompt[1],
            "user_id": one.user,
            "cost_n": one.cost,
            "duration_us": 1000,
            "error_type": one.error_type,
            "retention_days": 30,
        }
        for one in failures
    ]
    database.insert(
        "failures", pa.RecordBatch.from_pylist(rows, schema=_SCHEMA), token=f"failures:{hash(tuple(failures))}"
    )
