"""Requests of two windows, as leaves and as stored spans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spanwise_collector.attribution.leaves import Leaves, Moments
from spanwise_collector.query.values import micros
from spanwise_collector.query.window import Window
from spanwise_collector.store.database import Database
from tests.support.rows import span_id, trace_id

CHANGE: Final = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)
BEFORE: Final = Window(micros(CHANGE - timedelta(hours=24)), micros(CHANGE))
AFTER: Final = Window(micros(CHANGE), micros(CHANGE + timedelta(hours=6)))
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("m-1", "m-2", "m-3"),
    "prompt": ("ask@v1", "sum@v1", "plan@v1"),
    "release": ("r1", "r2"),
    "environment": ("prod", "staging"),
    "route": ("chat", "search", "agent", "extract"),
    "user_group": ("free", "pro", "team"),
}


@dataclass
class Traffic:
    """Requests; all arrays are as long as `codes` has rows.

    Attributes:
        codes: [request, dimension], in the order of `values`.
        values: of each dimension.
        now: in the window after.
        failed: whether it failed.
        log_ms: natural logarithm of its milliseconds.
        cost_n: nano-dollars.
        failure: class of the failure of its model call; empty for none.
    """

    codes: NDArray[np.int64]
    values: dict[str, tuple[str, ...]]
    now: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    log_ms: NDArray[np.float64]
    cost_n: NDArray[np.int64]
    failure: list[str]

    def where(self, **wanted: str) -> NDArray[np.bool_]:
        """Requests of the window after with these values."""
        chosen = self.now.copy()
        for name, value in wanted.items():
            place = list(self.values).index(name)
            chosen &= self.codes[:, place] == self.values[name].index(value)
        return chosen

    def column(self, name: str) -> list[str]:
        """A dimension as text."""
        return [self.values[name][code] for code in self.codes[:, list(self.values).index(name)]]

    def leaves(self, value: NDArray[np.float64] | None = None) -> Leaves:
        """Leaves with `failed` as the value, or another."""
        found = self.failed.astype(np.float64) if value is None else value
        sides = [
            Moments(*(np.where(chosen, part, 0.0) for part in (np.ones(found.size), found, found**2)))
            for chosen in (~self.now, self.now)
        ]
        return Leaves.of([(name, self.column(name)) for name in self.values], sides[0], sides[1])


def traffic(seed: int, before: int, after: int, *, new: Sequence[tuple[str, str]] = ()) -> Traffic:
    """Requests without any change; each of `new` is a value that a third of the requests after have."""
    rng = np.random.default_rng(seed)
    size = before + after
    now = np.arange(size) >= before
    values = dict(VALUES)
    columns = []
    for name, found in VALUES.items():
        shares = 1.0 / np.arange(1, len(found) + 1)
        column = rng.choice(len(found), size, p=shares / shares.sum())
        for dimension, value in new:
            if dimension == name:
                values[name] = (*values[name], value)
                column = np.where(now & (rng.random(size) < 1 / 3), len(values[name]) - 1, column)
        columns.append(column)
    codes = np.column_stack(columns).astype(np.int64)
    failed = rng.random(size) < 0.03
    return Traffic(
        codes, values, now, failed, rng.normal(7.0, 0.6, size), rng.integers(500_000, 1_500_000, size), [""] * size
    )


def fail(made: Traffic, chosen: NDArray[np.bool_], rate: float, seed: int) -> None:
    """Make some requests fail at a rate."""
    made.failed[chosen] = np.random.default_rng(seed).random(int(chosen.sum())) < rate


_TIME: Final = pa.timestamp("us", tz="UTC")


def _times(made: Traffic) -> NDArray[np.int64]:
    """Microseconds at which requests began."""
    return np.where(
        made.now,
        AFTER.start + np.cumsum(made.now) * (AFTER.length // (int(made.now.sum()) + 2)),
        BEFORE.start + np.cumsum(~made.now) * (BEFORE.length // (int((~made.now).sum()) + 2)),
    )


def store(database: Database, made: Traffic, *, project: str = "default") -> None:
    """Each request as a root span with one model call, evenly over the windows."""
    times = _times(made)
    took = np.exp(made.log_ms) * 1000
    size = len(times)
    prompts = [prompt.split("@") for prompt in made.column("prompt")]
    shared = {
        "project_id": [project] * size,
        "trace_id": [trace_id(number + 1) for number in range(size)],
        "env": made.column("environment"),
        "release": made.column("release"),
        "user_group": made.column("user_group"),
        "ingested_at": pa.array([int(time) for time in times], _TIME),
    }
    roots = pa.record_batch(
        {
            **shared,
            "span_id": [span_id(2 * number + 1) for number in range(size)],
            "start_time": pa.array([int(time) for time in times], _TIME),
            "duration_us": pa.array(took.astype(np.uint64)),
            "is_root": [True] * size,
            "name": made.column("route"),
            "kind": ["chain"] * size,
            "status": ["error" if failed else "ok" for failed in made.failed],
            "status_message": ["it broke" if failed else "" for failed in made.failed],
            "input_preview": [f"question {number}" for number in range(size)],
        }
    )
    calls = pa.record_batch(
        {
            **shared,
            "span_id": [span_id(2 * number + 2) for number in range(size)],
            "parent_span_id": [span_id(2 * number + 1) for number in range(size)],
            "start_time": pa.array([int(time) + 1000 for time in times], _TIME),
            "duration_us": pa.array((took * 0.9).astype(np.uint64)),
            "is_root": [False] * size,
            "name": ["chat"] * size,
            "kind": ["llm"] * size,
            "status": ["ok"] * size,
            "model_response": made.column("model"),
            "provider": [f"p-{model[-1]}" for model in made.column("model")],
            "prompt_name": [prompt[0] for prompt in prompts],
            "prompt_version": [prompt[1] for prompt in prompts],
            "tok_input": pa.array([100] * size, pa.uint32()),
            "tok_output": pa.array([20] * size, pa.uint32()),
            "cost_total_n": pa.array(made.cost_n),
            "cost_source": ["computed"] * size,
            "counts_usage": [True] * size,
            "failure_class": made.failure,
            "failure_title": [f"{word} of the model" if word else "" for word in made.failure],
            "fingerprint": pa.array([7 if word else 0 for word in made.failure], pa.uint64()),
        }
    )
    database.insert("spans", roots, token=f"{project}:roots:{size}")
    database.insert("spans", calls, token=f"{project}:calls:{size}")


def store_languages(database: Database, made: Traffic, languages: Sequence[str]) -> None:
    """The language of each request's input, as its root span's."""
    size = len(languages)
    rows = pa.record_batch(
        {
            "project_id": ["default"] * size,
            "side": ["input"] * size,
            "time": pa.array([int(time) for time in _times(made)], _TIME),
            "trace_id": [trace_id(number + 1) for number in range(size)],
            "span_id": [span_id(2 * number + 1) for number in range(size)],
            "language": list(languages),
        }
    )
    database.insert("text_features", rows, token=f"languages:{size}")


def store_scores(database: Database, made: Traffic, name: str, values: NDArray[np.float64]) -> None:
    """A score of each request."""
    size = len(values)
    rows = pa.record_batch(
        {
            "project_id": ["default"] * size,
            "score_id": [trace_id(number + 1) for number in range(size)],
            "target": ["trace"] * size,
            "trace_id": [trace_id(number + 1) for number in range(size)],
            "name": [name] * size,
            "value": pa.array(values),
            "source": ["code"] * size,
            "ts": pa.array([int(time) + 5_000_000 for time in _times(made)], _TIME),
        }
    )
    database.insert("scores", rows, token=f"{name}:{size}")


def store_tools(database: Database, made: Traffic, tools: Sequence[str], *, failed: NDArray[np.bool_]) -> None:
    """A tool call of each request."""
    size = len(tools)
    rows = pa.record_batch(
        {
            "project_id": ["default"] * size,
            "trace_id": [trace_id(number + 1) for number in range(size)],
            "span_id": [span_id(1_000_000 + number) for number in range(size)],
            "parent_span_id": [span_id(2 * number + 1) for number in range(size)],
            "start_time": pa.array([int(time) + 2000 for time in _times(made)], _TIME),
            "name": list(tools),
            "tool_name": list(tools),
            "kind": ["tool"] * size,
            "status": ["error" if one else "ok" for one in failed],
            "ingested_at": pa.array([int(time) for time in _times(made)], _TIME),
        }
    )
    database.insert("spans", rows, token=f"tools:{size}")
