"""Answers of the cost endpoints. Units are those of `spanwise_schemas.api`; an unknown cost is None, never zero."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from spanwise_schemas.api import Model, Usage

CostDimension = Literal["model", "request", "name", "user", "session", "prompt", "release", "environment"]
"""What a cost can be broken down by. `request`, `user`, `session` and `release` are those of the whole trace."""
UnpricedReason = Literal["no_price", "no_tokens", "bad_counts", "priced_now"]
CacheMatch = Literal["exact", "near"]


class CostTotals(Model):
    """What the model calls of a window used and cost. Each call counts once."""

    calls: int = Field(description="Model calls that bear the bill.")
    unpriced_calls: int = Field(0, description="Of these, calls whose cost is unknown; the sums leave them out.")
    usage: Usage = Field(default_factory=Usage)
    cost_nanousd: int | None = Field(None, description="Sum over priced calls; None when no call has a price.")


class CacheSavings(Model):
    """What the providers' prompt caches saved at list prices: tokens at the input's price, minus what they cost."""

    calls: int = Field(0, description="Calls that read from or wrote to a cache and whose model has a price.")
    unpriced_calls: int = Field(0, description="Calls that used a cache at a model without a price.")
    saved_nanousd: int | None = Field(
        None, description="None when no such call has a price. Negative when writing cost more than reading saved."
    )


class ReportedCosts(Model):
    """Costs that clients reported, beside those computed from the price list, over the calls that have both."""

    calls: int = Field(0, description="Calls with a reported and a computed cost.")
    reported_nanousd: int | None = None
    computed_nanousd: int | None = None
    only_reported_calls: int = Field(0, description="Calls with a reported cost and no computed one.")


class Costs(Model):
    """What a window cost, and the window of equal length before it."""

    start: datetime
    end: datetime
    current: CostTotals
    previous: CostTotals
    caching: CacheSavings
    reported: ReportedCosts


class CostGroup(Model):
    """One value of a dimension."""

    key: str = Field(description="Empty where the calls do not say.")
    version: str = Field("", description="For prompts, the prompt's version.")
    totals: CostTotals
    cached_known: bool = Field(True, description="False where the totals do not say how many tokens were cached.")
    previous_calls: int = 0
    previous_cost_nanousd: int | None = None


class CostBreakdown(Model):
    """A window's cost by one dimension, dearest first."""

    start: datetime
    end: datetime
    by: CostDimension
    groups: list[CostGroup]
    left_out: int = Field(0, description="Groups beyond the limit.")


class UnpricedModel(Model):
    """Calls that bear a bill and have no cost, by model and by why."""

    provider: str
    model: str
    reason: UnpricedReason = Field(
        description="`no_price`: no list knows the model. `no_tokens`: the calls say no token counts. `bad_counts`: "
        "the counts contradict each other. `priced_now`: today's list has a price; reprice the past."
    )
    calls: int
    usage: Usage
    last_seen: datetime
    example_trace_id: str
    remedy: str = Field(description="What to do, in a sentence.")
    price_file: str = Field("", description="Lines for the price file, with prices left to fill in.")


class UnpricedModels(Model):
    """Models without a cost in a window, most calls first, at most 100."""

    items: list[UnpricedModel]


class DuplicateGroup(Model):
    """Spans that tell of usage and do not bear the bill, by why and by who made them."""

    reason: str = Field(description="Word in `spans.usage_reason`.")
    meaning: str = Field(description="The reason in a sentence.")
    scope: str = Field(description="Instrumentation scope that made the spans.")
    name: str
    spans: int
    usage: Usage
    cost_nanousd: int | None = Field(None, description="What would have been counted on top, where it is known.")
    example_trace_id: str
    example_span_id: str


class Duplicates(Model):
    """What would have been counted twice in a window, most tokens first, at most 100 groups."""

    spans: int
    usage: Usage
    cost_nanousd: int | None
    items: list[DuplicateGroup]


class PricedModel(Model):
    """A model of the price list, with today's first-tier prices in US dollars per million tokens."""

    provider: str
    model: str
    input_usd: float | None = None
    output_usd: float | None = None
    cache_read_usd: float | None = None


class PricedModels(Model):
    """Models that a what-if can be asked for."""

    version: str
    items: list[PricedModel]


class ModelSwap(Model):
    """The calls of one model, on another."""

    provider: str
    model: str
    calls: int
    compared_calls: int = Field(description="Calls whose cost is known on both sides; only these are in the amounts.")
    usage: Usage
    cost_nanousd: int | None
    cost_there_nanousd: int | None


class ModelWhatIf(Model):
    """What the traffic of a window would have cost on another model."""

    start: datetime
    end: datetime
    provider: str
    model: str
    price_version: str = Field(description="List that has the other model's price; empty when none has.")
    calls: int
    compared_calls: int
    cost_nanousd: int | None
    cost_there_nanousd: int | None
    by_model: list[ModelSwap]
    assumptions: list[str]


class RepeatedInput(Model):
    """An input that was sent more than once."""

    model: str
    name: str
    calls: int
    hits: int
    saved_nanousd: int | None
    preview: str
    example_trace_id: str
    last_trace_id: str


class CacheWhatIf(Model):
    """What a cache of answers in front of the models would have saved."""

    start: datetime
    end: datetime
    match: CacheMatch
    ttl_seconds: int
    sampled: float = Field(1.0, description="Share of the inputs that was looked at; amounts are scaled up from it.")
    calls: int = Field(description="Calls that did not fail and whose input is stored.")
    hits: int = Field(description="Calls that a cache would have answered.")
    hit_rate: float | None
    cost_nanousd: int | None = Field(description="What the looked-at calls cost.")
    saved_nanousd: int | None
    unpriced_hits: int = 0
    streamed_hits: int = Field(0, description="Hits whose answer was streamed.")
    varied_hits: int = Field(0, description="Hits that asked for a temperature above 0, where answers differ by wish.")
    top: list[RepeatedInput]
    assumptions: list[str]
