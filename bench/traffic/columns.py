"""Requests as columns, with regressions put in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.traffic.draws import Codes, Draws, Floats
from bench.traffic.plan import Injection

Bools = NDArray[np.bool_]

PRICES: Final = {"gpt-4.1-mini": (0.4, 1.6), "mistral-small": (0.1, 0.3), "gpt-4.1": (2.0, 8.0)}
"""US dollars per million input and output tokens; a model of a rollout costs what the first one does."""


@dataclass(frozen=True, slots=True)
class Columns:
    """One row per request, in order of time.

    Attributes:
        hours: since the start of the stream.
        codes: index into `values`, by dimension.
        values: of each dimension.
        latency_ms: to the end of the answer.
        ttft_ms: to the first token.
        input_tokens: of the prompt.
        output_tokens: of the answer.
        cost_usd: by `PRICES`.
        error: whether it failed.
        refusal: whether the model declined.
        score: of the evaluator in [0, 1]; NaN where none.
        hit: whether an injection changed the request.
    """

    hours: Floats
    codes: dict[str, Codes]
    values: dict[str, list[str]]
    latency_ms: Floats
    ttft_ms: Floats
    input_tokens: Floats
    output_tokens: Floats
    cost_usd: Floats
    error: Bools
    refusal: Bools
    score: Floats
    hit: Bools


def columns(draws: Draws, injections: Iterable[Injection] = ()) -> Columns:
    """The stream with these regressions; without any, as it would have been."""
    codes = {name: column.copy() for name, column in draws.codes.items()}
    latency, scale = draws.latency.copy(), np.ones(draws.size)
    tokens, error, refusal = np.zeros(draws.size), draws.error.copy(), draws.refusal.copy()
    score, kept, any_hit = draws.score.copy(), np.ones(draws.size, bool), np.zeros(draws.size, bool)
    for one in injections:
        hit = affected(draws, one)
        any_hit |= hit
        if one.kind == "latency":
            latency[hit] += np.log(one.size)
        elif one.kind == "tokens":
            tokens[hit] += np.log(one.size)
        elif one.kind == "cost":
            scale[hit] *= one.size
        elif one.kind == "error":
            error[hit] *= one.size
        elif one.kind == "refusal":
            refusal[hit] *= one.size
        elif one.kind == "score":
            score[hit] = np.clip(score[hit] + one.size, 0.0, 1.0)
        elif one.kind == "volume":
            kept &= ~hit | (draws.luck[3] < one.size)
        else:
            codes[one.dimension][hit & (draws.luck[3] < one.size)] = draws.values[one.dimension].index(one.to)
    latency_ms = np.exp(latency)
    input_tokens, output_tokens = np.ceil(np.exp(draws.input + tokens)), np.ceil(np.exp(draws.output + tokens))
    prices = np.array([PRICES.get(model, PRICES["gpt-4.1-mini"]) for model in draws.values["model"]]).T
    cost = (prices[0][codes["model"]] * input_tokens + prices[1][codes["model"]] * output_tokens) * scale / 1e6
    found = Columns(
        draws.hours,
        codes,
        draws.values,
        latency_ms,
        latency_ms * draws.first,
        input_tokens,
        output_tokens,
        cost,
        draws.luck[0] < error,
        draws.luck[1] < refusal,
        score,
        any_hit,
    )
    return found if kept.all() else select(found, kept)


def affected(draws: Draws, injection: Injection) -> Bools:
    """Which requests an injection hits."""
    hit = draws.hours >= injection.start_h
    if injection.end_h is not None:
        hit &= draws.hours < injection.end_h
    if injection.share < 1.0:
        hit &= draws.luck[2] < injection.share
    for dimension, value in injection.where.items():
        hit &= draws.codes[dimension] == draws.values[dimension].index(value)
    return hit


def select(made: Columns, rows: Bools | slice) -> Columns:
    """Some of the requests."""
    return Columns(
        made.hours[rows],
        {name: column[rows] for name, column in made.codes.items()},
        made.values,
        made.latency_ms[rows],
        made.ttft_ms[rows],
        made.input_tokens[rows],
        made.output_tokens[rows],
        made.cost_usd[rows],
        made.error[rows],
        made.refusal[rows],
        made.score[rows],
        made.hit[rows],
    )
