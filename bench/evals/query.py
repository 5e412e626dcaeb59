"""How long questions about eval scores take, over 200,000 scores and over a million.

    python -m bench.evals --only query

Rows are made inside the embedded engine: traces over 30 days with four spans each, one judge's score for each trace in
two versions of the judge, and people's labels of one in a hundred. Questions go through the real app and cover all 30
days; each is asked five times, and the median of the whole request counts.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastapi.testclient import TestClient

from spanwise_collector.api.app import create_app
from spanwise_collector.settings import Settings
from spanwise_collector.store.database import Database
from spanwise_collector.store.migrate import migrate

END: Final = datetime(2026, 11, 20, tzinfo=UTC)
DAYS: Final = 30
SIZES: Final = (200_000, 1_000_000)
QUICK_SIZES: Final = (50_000,)
REPEATS: Final = 5
QUESTIONS: Final[dict[str, dict[str, str]]] = {
    "scores": {},
    "trend": {},
    "trend by release": {"split": "release"},
    "trend by model": {"split": "model"},
    "trend by prompt": {"split": "prompt"},
    "trend of an environment": {"environment": "test"},
    "distribution": {},
    "worst": {},
    "judges": {},
}


def measure(seed: int = 2, quick: bool = False) -> dict[str, Any]:
    """Milliseconds of each question by number of scores.

    Args:
        seed: of the values.
        quick: fewer.
    """
    found: dict[str, Any] = {}
    for size in QUICK_SIZES if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            database = Database.open(f"chdb://{folder}", readers=4)
            try:
                migrate(database)
                _fill(database, size, seed)
                found[f"{size:,} scores"] = _asked(database)
            finally:
                database.close()
    return found


def _fill(database: Database, size: int, seed: int) -> None:
    start = int((END - timedelta(days=DAYS)).timestamp())
    at = f"toDateTime64({start}, 6, 'UTC') + toIntervalMillisecond(intDiv(number * {DAYS * 86_400_000}, {size}))"
    trace = "reinterpretAsFixedString(toUInt128(cityHash64(number)) + 1)"
    database.command("SYSTEM STOP TTL MERGES")
    database.command(
        "INSERT INTO spans (project_id, trace_id, span_id, parent_span_id, start_time, duration_us, is_root, name, "
        "kind, env, release, model_request, model_response, prompt_name, prompt_version, input_preview, "
        "output_preview, retention_days) SELECT 'default', "
        f"{trace}, reinterpretAsFixedString(toUInt64(part + 1)), "
        f"reinterpretAsFixedString(toUInt64(part > 0)), {at}, 1000000, part = 0, "
        "['ask', 'route', 'answer', 'tool'][part + 1], ['chain', 'llm', 'llm', 'tool'][part + 1], "
        "if(number % 5 = 0, 'test', 'prod'), concat('v', toString(intDiv(number * 6, {size:UInt64}))), "
        "['', 'small', 'big', ''][part + 1] AS model, model, if(model = '', '', 'answer'), "
        "if(model = '', '', toString(intDiv(number * 9, {size:UInt64}))), 'a question', 'an answer', 400 "
        "FROM numbers({size:UInt64}) ARRAY JOIN range(4) AS part".replace("{size:UInt64}", str(size))
    )
    value = f"toFloat64(cityHash64(number, {seed}) % 10 < 8)"
    columns = (
        "project_id, score_id, target, trace_id, name, value, source, evaluator, evaluator_version, ts, version, "
        "inclusion_p"
    )
    database.command(
        f"INSERT INTO scores ({columns}) SELECT 'default', reinterpretAsFixedString(toUInt128(number) + 1), 'trace', "
        f"{trace}, 'helpful', {value}, 'llm', 'judge', if(number < {size} / 2, '1', '2'), {at}, 1, "
        f"if(number % 5 = 0, 1, 0.2) FROM numbers({size})"
    )
    database.command(
        f"INSERT INTO scores ({columns}) SELECT 'default', reinterpretAsFixedString(toUInt128(number) + {10 * size}), "
        f"'trace', {trace}, 'helpful', if(number % 900 = 0, 1 - {value}, {value}), 'human', 'ann', '', {at}, 1, 0.01 "
        f"FROM numbers({size}) WHERE number % 100 = 0"
    )


def _asked(database: Database) -> dict[str, Any]:
    app = create_app(
        database=database, settings=Settings(clickhouse="chdb:///unused", query_timeout_seconds=60), clock=lambda: END
    )
    window = {"from": (END - timedelta(days=DAYS)).isoformat(), "name": "helpful"}
    found = {}
    with TestClient(app) as client:
        for name, more in QUESTIONS.items():
            took = []
            for _ in range(REPEATS):
                started = time.perf_counter()
                answer = client.get(f"/api/v1/evals/{name.split()[0]}", params=window | more)
                took.append((time.perf_counter() - started) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{name}: {answer.text}")
            found[f"{name}, ms"] = round(statistics.median(took))
    return found
