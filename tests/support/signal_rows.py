"""Weeks of hourly signals as a roll-up has them, for tests of drift: a steady application with a daily rhythm."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa

from spanwise_collector.store.database import Database

HOUR: Final = 3600
DAY: Final = 86_400
START: Final = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
"""A Monday."""
BIN: Final = np.log(1.05)
_SCHEMA: Final = pa.schema(
    [
        ("project_id", pa.string()),
        ("time", pa.timestamp("s", "UTC")),
        ("kind", pa.string()),
        ("is_root", pa.bool_()),
        ("env", pa.string()),
        ("name", pa.string()),
        ("model", pa.string()),
        *((name, pa.uint64()) for name in ("n", "n_err", "n_calls", "n_priced")),
        ("cost_n", pa.int64()),
        *((name, pa.float64()) for name in ("lat_s1", "lat_s2")),
        ("failed", pa.map_(pa.string(), pa.uint64())),
    ]
)


def insert_weeks(
    database: Database,
    *,
    days: int,
    change: Callable[[int], Mapping[str, float]] = lambda _: {},
    models: Mapping[str, float] | None = None,
    per_hour: float = 100.0,
    seed: int = 1,
    project: str = "default",
) -> None:
    """Requests and one call each, hour by hour from `START` on.

    Args:
        database: the store.
        days: how many.
        change: hour number to factors: `volume`, `errors`, `latency`, `cost`, `refusals`, `model_b` (share of m-b).
        models: shares of models.
        per_hour: requests in an average hour.
        seed: of all chance.
        project: whose.
    """
    rng = np.random.default_rng(seed)
    shares = models or {"m-a": 0.7, "m-b": 0.3}
    rows: list[dict[str, object]] = []
    for hour in range(days * 24):
        factors = change(hour)
        rhythm = 1 + 0.5 * np.sin((hour % 24 - 9) / 24 * 2 * np.pi)
        n = int(rng.poisson(per_hour * rhythm * factors.get("volume", 1.0)))
        failed = int(rng.binomial(n, min(1.0, 0.02 * factors.get("errors", 1.0))))
        rows.append(_row(rng, project, hour, n, failed, factors, kind="chain", is_root=True, model="", refused=0))
        left = n
        chosen = dict(shares)
        if "model_b" in factors:
            chosen = {"m-a": 1 - factors["model_b"], "m-b": factors["model_b"]}
        for place, (model, share) in enumerate(chosen.items()):
            many = left if place == len(chosen) - 1 else int(rng.binomial(n, share))
            left -= many
            refused = int(rng.binomial(many, min(1.0, 0.01 * factors.get("refusals", 1.0))))
            rows.append(
                _row(rng, project, hour, many, 0, factors, kind="llm", is_root=False, model=model, refused=refused)
            )
    batch = pa.RecordBatch.from_pylist([row for row in rows if row["n"]], schema=_SCHEMA)
    database.insert("signals_1h", batch, token=f"weeks:{project}:{seed}:{days}")


def _row(
    rng: np.random.Generator,
    project: str,
    hour: int,
    n: int,
    failed: int,
    factors: Mapping[str, float],
    *,
    kind: str,
    is_root: bool,
    model: str,
    refused: int,
) -> dict[str, object]:
    logs = rng.normal(np.log(800 * factors.get("latency", 1.0)), 0.5, n)
    cost = rng.lognormal(np.log(1e6 * factors.get("cost", 1.0)), 0.5, n)
    return {
        "project_id": project,
        "time": datetime.fromtimestamp(START + hour * HOUR, UTC),
        "kind": kind,
        "is_root": is_root,
        "env": "prod",
        "name": "ask" if is_root else "chat",
        "model": model,
        "n": n,
        "n_err": failed,
        "n_calls": 0 if is_root else n,
        "n_priced": 0 if is_root else n,
        "cost_n": 0 if is_root else int(cost.sum()),
        "lat_s1": float(logs.sum()),
        "lat_s2": float((logs**2).sum()),
        "failed": [("refusal", refused)] if refused else [],
    }
