"""The road from Kafka to ClickHouse, from the ledger: what was emitted, stored, rejected, dropped."""

from collections.abc import Sequence
from typing import Any

from spanwise_collector.query.sequences import MISSING
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import MINUTE, Window
from spanwise_collector.store.database import Reader
from spanwise_schemas.api import PartitionState, Pipeline, PipelineTotals, ProducerState, Reject

FRESHNESS_WINDOW = 5 * MINUTE
MAX_PRODUCERS = 200


def get_pipeline(
    reader: Reader, window: Window, partitions: Sequence[PartitionState], *, now_us: int, timeout_s: float = 30.0
) -> Pipeline:
    """State of the pipeline.

    Args:
        reader: the store.
        window: totals, producers and rejects are those of this time.
        partitions: as this collector's ingest sees them; empty where it runs elsewhere.
        now_us: current time, for the freshness of the last five minutes.
        timeout_s: for each query.

    Raises:
        StoreError: see `Reader.query`.
    """
    parameters: dict[str, object] = {"start": window.start // 1000, "end": window.end // 1000}
    producers = _producers(reader, parameters, timeout_s)
    lags = [partition.lag for partition in partitions]
    ledger = _ledger(reader, parameters, timeout_s)
    totals = PipelineTotals(
        **ledger,
        dropped=_dropped(reader, parameters, timeout_s),
        lag=sum(lag for lag in lags if lag is not None) if lags and None not in lags else None,
        freshness_ms=_freshness(reader, now_us, timeout_s),
    )
    return Pipeline(
        totals=totals,
        partitions=list(partitions),
        producers=producers,
        rejects=_rejects(reader, parameters, timeout_s),
        tables=_tables(reader, timeout_s),
    )


def _between(column: str) -> str:
    return (
        f"{column} >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC') AND {column} < "
        f"fromUnixTimestamp64Milli({{end:Int64}}, 'UTC')"
    )


def _ledger(reader: Reader, parameters: dict[str, object], timeout_s: float) -> dict[str, int]:
    # One row per released batch; LIMIT 1 BY leaves out a row that a repair wrote twice.
    sql = (
        "SELECT sum(n_spans), sum(n_scores), sum(n_contents), sum(n_rejected), sum(n_duplicates), sum(n_warnings), "
        "sum(n_erased) FROM "
        f"(SELECT * FROM ingest_ledger WHERE {_between('ts')} LIMIT 1 BY topic, topic_id, part, off_from)"
    )
    spans, scores, contents, rejected, duplicates, warnings, erased = reader.query(
        sql, parameters, timeout_s=timeout_s
    ).rows[0]
    return {
        "emitted": spans + scores + contents + rejected + duplicates + erased,
        "stored": spans + scores + contents,
        "scores": scores,
        "rejected": rejected,
        "duplicates": duplicates,
        "erased": erased,
        "warnings": warnings,
    }


def _freshness(reader: Reader, now_us: int, timeout_s: float) -> float | None:
    sql = (
        "SELECT sum(n_records), quantileExactWeighted(0.5)(toInt64(toUnixTimestamp64Milli(ts)) - "
        "intDiv(toUnixTimestamp64Milli(first_record_ts) "
        "+ toUnixTimestamp64Milli(last_record_ts), 2), n_records) FROM ingest_ledger "
        "WHERE ts > fromUnixTimestamp64Milli({since:Int64}, 'UTC')"
    )
    count, age = reader.query(sql, {"since": (now_us - FRESHNESS_WINDOW) // 1000}, timeout_s=timeout_s).rows[0]
    return float(age) if count else None


_PRODUCER_SUMS = (
    # One process is one producer, whatever its records say of its SDK: its scores and its spans are numbered together.
    # Without our headers (an OpenTelemetry Collector, say) project, service and SDK are all that tells producers apart.
    "producer, max(project_id) AS project, max(service) AS service_name, max(sdk) AS sdk_name, "
    f"{MISSING} AS missing, sum(n_spans) AS emitted, "
    "max(dropped) AS lost, sum(n_rejected) AS rejected, sum(n_duplicates) AS duplicates, "
    "sum(n_erased) AS erased, "
    "min(toUnixTimestamp64Micro(first_ts)) AS first, max(toUnixTimestamp64Micro(last_ts)) AS last"
)


def _producers(reader: Reader, parameters: dict[str, object], timeout_s: float) -> list[ProducerState]:
    sql = (
        f"SELECT {_PRODUCER_SUMS} FROM producers GROUP BY producer, "
        "if(producer = '', (project_id, service, sdk), ('', '', '')) "
        "HAVING last >= {start:Int64} * 1000 AND first < {end:Int64} * 1000 "
        f"ORDER BY last DESC, producer LIMIT {MAX_PRODUCERS}"
    )
    return [_producer(row) for row in reader.query(sql, parameters, timeout_s=timeout_s).dicts()]


def _producer(row: dict[str, Any]) -> ProducerState:
    return ProducerState(
        producer=row["producer"],
        project=row["project"],
        service=row["service_name"],
        sdk=row["sdk_name"],
        emitted=row["emitted"],
        rejected=row["rejected"],
        duplicates=row["duplicates"],
        erased=row["erased"],
        dropped=row["lost"],
        missing_records=row["missing"],
        first_seen=time_of(row["first"]),
        last_seen=time_of(row["last"]),
    )


def _dropped(reader: Reader, parameters: dict[str, object], timeout_s: float) -> int:
    sql = (
        "SELECT sum(lost) FROM (SELECT producer, max(dropped) AS lost, max(toUnixTimestamp64Micro(last_ts)) AS last "
        "FROM producers "
        "GROUP BY producer HAVING last >= {start:Int64} * 1000)"
    )
    return int(reader.query(sql, parameters, timeout_s=timeout_s).rows[0][0])


def _rejects(reader: Reader, parameters: dict[str, object], timeout_s: float) -> list[Reject]:
    sql = (
        "SELECT topic, reason, sum(n_items) AS count, max(toUnixTimestamp64Micro(record_ts)) AS last FROM "
        "ingest_rejects "
        f"WHERE {_between('record_ts')} GROUP BY topic, reason ORDER BY count DESC, topic, reason LIMIT 200"
    )
    rows = reader.query(sql, parameters, timeout_s=timeout_s).rows
    return [
        Reject(topic=topic, reason=reason, count=count, last_seen=time_of(last)) for topic, reason, count, last in rows
    ]


def _tables(reader: Reader, timeout_s: float) -> dict[str, int]:
    sql = (
        "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() "
        "GROUP BY table ORDER BY table"
    )
    return {str(table): int(size) for table, size in reader.query(sql, timeout_s=timeout_s).rows}
