"""Requests as objects, for what wants one at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from bench.traffic.columns import Columns
from bench.traffic.plan import Plan

ERROR_CLASSES: Final = ("rate_limit", "timeout", "overload", "tool_error", "invalid_json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        number: in order of time, from 0.
        time: when it began, UTC.
        dimensions: model, prompt_version, release, environment, route, tool, user_group, language.
        latency_ms: to the end of the answer.
        ttft_ms: to the first token.
        input_tokens: of the prompt.
        output_tokens: of the answer; 0 where it failed.
        cost_usd: what it cost.
        error: class of `ERROR_CLASSES`; empty where it went well.
        refusal: whether the model declined.
        score: of the evaluator in [0, 1], if any.
        hit: whether an injection changed it.
    """

    number: int
    time: datetime
    dimensions: dict[str, str]
    latency_ms: float
    ttft_ms: float
    input_tokens: int
    output_tokens: int
    cost_usd: float
    error: str
    refusal: bool
    score: float | None
    hit: bool


def requests(plan: Plan, made: Columns) -> Iterator[Request]:
    """The rows of `made`, in order of time."""
    kinds = np.random.default_rng([plan.seed, 1]).choice(
        len(ERROR_CLASSES), made.hours.size, p=[0.4, 0.25, 0.15, 0.12, 0.08]
    )
    for i in range(made.hours.size):
        score = float(made.score[i])
        failed = bool(made.error[i])
        yield Request(
            number=i,
            time=plan.start + timedelta(hours=float(made.hours[i])),
            dimensions={name: made.values[name][codes[i]] for name, codes in made.codes.items()},
            latency_ms=float(made.latency_ms[i]),
            ttft_ms=float(made.ttft_ms[i]),
            input_tokens=int(made.input_tokens[i]),
            output_tokens=0 if failed else int(made.output_tokens[i]),
            cost_usd=float(made.cost_usd[i]),
            error=ERROR_CLASSES[kinds[i]] if failed else "",
            refusal=bool(made.refusal[i]),
            score=None if np.isnan(score) else score,
            hit=bool(made.hit[i]),
        )
