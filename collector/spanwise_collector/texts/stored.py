"""Texts of a project as they are read from `spans`, and what is known of them as it is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, get_args

import pyarrow as pa

from spanwise_collector.query.values import micros, time_of
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Reader

Side = Literal["input", "output"]
SIDES: Final[tuple[Side, ...]] = get_args(Side)
_TIMEOUT_S: Final = 60.0
_MICROS: Final = pa.timestamp("us", "UTC")
_FEATURES: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("side", pa.int8()),
        ("time", _MICROS),
        ("trace_id", pa.binary(16)),
        ("span_id", pa.binary(8)),
        ("language", pa.string()),
        ("model_version", pa.uint64()),
        ("cluster", pa.int16()),
        ("similarity", pa.float32()),
        ("is_novel", pa.bool_()),
        ("retention_days", pa.uint16()),
    ]
)
_MODELS: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("side", pa.int8()),
        ("version", pa.uint64()),
        ("fitted_at", pa.timestamp("ms", "UTC")),
        ("from_time", _MICROS),
        ("to_time", _MICROS),
        ("n_texts", pa.uint64()),
        ("model", pa.string()),
    ]
)


class Store(Reader, Protocol):
    """What reading and storing of texts need of the database; `Database` fulfils it."""

    def insert(self, table: str, rows: pa.RecordBatch, *, token: str) -> None:
        """See `Database.insert`."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a trace.

    Attributes:
        time: start of its span, microseconds since the epoch.
        trace_id: 16 bytes.
        span_id: 8 bytes.
        text: its preview: the last message of an input, the first of an output, without roles.
        retention_days: how long its span is kept.
    """

    time: int
    trace_id: bytes
    span_id: bytes
    text: str
    retention_days: int


@dataclass(frozen=True, slots=True)
class Features:
    """What is stored of a text; see the table `text_features`.

    Attributes:
        text: whose.
        language: ISO code or "".
        cluster: of the model, -1 without a model.
        similarity: cosine to the nearest known text, 0 without a model.
        is_novel: whether that is below the model's 5 % quantile.
    """

    text: Text
    language: str
    cluster: int = -1
    similarity: float = 0.0
    is_novel: bool = False


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A fitted reference and where it comes from; see the table `text_models`.

    Attributes:
        version: the hour in which it was fitted, seconds since the epoch.
        fitted_at: when, UTC.
        reference: the time of its texts.
        n_texts: how many there were.
        model: see `ReferenceModel.to_text`.
    """

    version: int
    fitted_at: datetime
    reference: Window
    n_texts: int
    model: str


def read_texts(reader: Reader, project: str, side: Side, window: Window, limit: int) -> list[Text]:
    """At most `limit` texts, in order of time: one of each trace, so that no text counts twice.

    That is the root span's where it has one; else the first input, or the last output, of the trace's model calls.
    Where there are more traces, those are taken whose ids have the lowest hashes: the same ones whoever asks.

    Raises:
        StoreError: see `Reader.query`.
    """
    column = f"{side}_preview"
    parameters: dict[str, object] = {"project": project, "start": window.start, "end": window.end, "limit": limit}
    # A few times as many traces are grouped as are wanted, whatever the window.
    count = f"(SELECT uniq(trace_id) FROM spans WHERE {_within(column)})"
    some = f"greatest(intDiv({count}, 2 * {{limit:UInt32}}), 1)"
    order = "start_time" if side == "input" else "-toUnixTimestamp64Micro(start_time)"
    rows = reader.query(
        "SELECT first.1, trace_id, first.2, first.3, first.4 FROM (SELECT trace_id, argMin("
        f"(toUnixTimestamp64Micro(start_time), span_id, {column}, retention_days), (NOT is_root, {order}, span_id)"
        f") AS first FROM spans WHERE {_within(column)} AND cityHash64(trace_id) % {some} = 0 "
        "GROUP BY trace_id ORDER BY cityHash64(trace_id), trace_id LIMIT {limit:UInt32}) ORDER BY first.1, trace_id",
        parameters,
        timeout_s=_TIMEOUT_S,
    ).rows
    return [Text(time, trace, span, text, days) for time, trace, span, text, days in rows]


def _within(column: str) -> str:
    return (
        "project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        "AND start_time < fromUnixTimestamp64Micro({end:Int64}, 'UTC') "
        f"AND (is_root OR kind = 'llm') AND {column} != ''"
    )


def hours_with_texts(reader: Reader, project: str, side: Side, window: Window) -> list[int]:
    """Starts of the hours in which there are texts, microseconds since the epoch, in order.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT DISTINCT toUnixTimestamp(toStartOfHour(start_time)) AS hour FROM spans "
        f"WHERE {_within(f'{side}_preview')} ORDER BY hour",
        {"project": project, "start": window.start, "end": window.end},
        timeout_s=_TIMEOUT_S,
    ).rows
    return [hour * 1_000_000 for (hour,) in rows]


def hours_done(reader: Reader, project: str, side: Side, window: Window) -> dict[int, int]:
    """The newest model version with which each hour's texts were looked at, by the hour's start.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT toUnixTimestamp(toStartOfHour(time)) AS hour, max(model_version) FROM text_features "
        "WHERE project_id = {project:String} AND side = {side:String} "
        "AND time >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        "AND time < fromUnixTimestamp64Micro({end:Int64}, 'UTC') GROUP BY hour",
        {"project": project, "side": side, "start": window.start, "end": window.end},
        timeout_s=_TIMEOUT_S,
    ).rows
    return {hour * 1_000_000: version for hour, version in rows}


def active_projects(reader: Reader, window: Window) -> list[str]:
    """Projects with spans in a window.

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT DISTINCT project_id FROM trace_agg "
        "WHERE bucket >= toStartOfHour(fromUnixTimestamp64Micro({start:Int64}, 'UTC')) "
        "AND bucket < fromUnixTimestamp64Micro({end:Int64}, 'UTC') ORDER BY project_id",
        {"start": window.start, "end": window.end},
        timeout_s=_TIMEOUT_S,
    ).rows
    return [project for (project,) in rows]


def newest_model(reader: Reader, project: str, side: Side, before: int | None = None) -> StoredModel | None:
    """The model fitted last; with `before`, of those whose texts end there or earlier (microseconds since the epoch).

    Raises:
        StoreError: see `Reader.query`.
    """
    rows = reader.query(
        "SELECT version, toUnixTimestamp64Milli(fitted_at), toUnixTimestamp64Micro(from_time), "
        "toUnixTimestamp64Micro(to_time), n_texts, model FROM text_models WHERE project_id = {project:String} "
        "AND side = {side:String} AND to_time <= fromUnixTimestamp64Micro({before:Int64}, 'UTC') "
        "ORDER BY version DESC LIMIT 1",
        {"project": project, "side": side, "before": _FAR if before is None else before},
        timeout_s=_TIMEOUT_S,
    ).rows
    if not rows:
        return None
    version, fitted_ms, start, end, n_texts, model = rows[0]
    return StoredModel(version, time_of(fitted_ms * 1000), Window(start, end), n_texts, model)


_FAR: Final = micros(datetime.fromisoformat("2200-01-01T00:00:00+00:00"))


def insert_features(
    store: Store, project: str, side: Side, hour: int, version: int, features: Sequence[Features]
) -> None:
    """Store what is known of an hour's texts; a second time, by whomever, it does nothing.

    Raises:
        StoreError: see `Database.insert`.
    """
    rows = pa.RecordBatch.from_pylist(
        [
            {
                "project_id": project,
                "side": SIDES.index(side) + 1,
                "time": one.text.time,
                "trace_id": one.text.trace_id,
                "span_id": one.text.span_id,
                "language": one.language,
                "model_version": version,
                "cluster": one.cluster,
                "similarity": one.similarity,
                "is_novel": one.is_novel,
                "retention_days": one.text.retention_days,
            }
            for one in features
        ],
        schema=_FEATURES,
    )
    store.insert("text_features", rows, token=f"text_features:{project}:{side}:{hour // HOUR}:{version}")


def insert_model(store: Store, project: str, side: Side, model: StoredModel) -> None:
    """Store a model; a second one of the same version is not taken.

    Raises:
        StoreError: see `Database.insert`.
    """
    row = {
        "project_id": project,
        "side": SIDES.index(side) + 1,
        "version": model.version,
        "fitted_at": model.fitted_at,
        "from_time": model.reference.start,
        "to_time": model.reference.end,
        "n_texts": model.n_texts,
        "model": model.model,
    }
    rows = pa.RecordBatch.from_pylist([row], schema=_MODELS)
    store.insert("text_models", rows, token=f"text_models:{project}:{side}:{model.version}")
