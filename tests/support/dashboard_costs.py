"""What the fake of the API says of costs, from the same data as the rest; prices are those of the dataset."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from spanwise_schemas.api import SpanDetail, TraceDetail, Usage
from spanwise_schemas.api_costs import (
    CacheSavings,
    CacheWhatIf,
    CostBreakdown,
    CostDimension,
    CostGroup,
    Costs,
    CostTotals,
    DuplicateGroup,
    Duplicates,
    ModelSwap,
    ModelWhatIf,
    PricedModel,
    PricedModels,
    RepeatedInput,
    ReportedCosts,
    UnpricedModel,
    UnpricedModels,
)
from spanwise_schemas.usage_reasons import meaning_of
from tests.support.dashboard_data import MODELS, Dataset

Window = tuple[datetime, datetime]
_KEYS: Mapping[CostDimension, Callable[[TraceDetail, SpanDetail], tuple[str, str]]] = {
    "model": lambda trace, span: (span.summary.model, ""),
    "request": lambda trace, span: (trace.summary.name, ""),
    "name": lambda trace, span: (span.summary.name, ""),
    "user": lambda trace, span: (trace.summary.user_id, ""),
    "session": lambda trace, span: (trace.summary.session_id, ""),
    "prompt": lambda trace, span: (span.prompt_name, span.prompt_version),
    "release": lambda trace, span: (trace.summary.release, ""),
    "environment": lambda trace, span: (span.environment, ""),
}


def costs(data: Dataset, window: Window, now: Sequence[TraceDetail], before: Sequence[TraceDetail]) -> Costs:
    """Totals of both windows."""
    return Costs(
        start=window[0],
        end=window[1],
        current=_totals([span for _, span in _calls(data, now)]),
        previous=_totals([span for _, span in _calls(data, before)]),
        caching=CacheSavings(),
        reported=ReportedCosts(),
    )


def breakdown(
    data: Dataset, window: Window, now: Sequence[TraceDetail], before: Sequence[TraceDetail], by: CostDimension
) -> CostBreakdown:
    """Groups, dearest first."""
    key = _KEYS[by]
    current, previous = _grouped(_calls(data, now), key), _grouped(_calls(data, before), key)
    groups = [
        CostGroup(
            key=name,
            version=version,
            totals=_totals(spans),
            previous_calls=len(previous.get((name, version), [])),
            previous_cost_nanousd=_totals(previous.get((name, version), [])).cost_nanousd,
        )
        for (name, version), spans in current.items()
    ]
    groups.sort(key=lambda group: (-(group.totals.cost_nanousd or 0), -group.totals.calls, group.key))
    return CostBreakdown(start=window[0], end=window[1], by=by, groups=groups[:100], left_out=max(0, len(groups) - 100))


def unpriced(data: Dataset, now: Sequence[TraceDetail]) -> UnpricedModels:
    """Calls without a cost by model."""
    without = [(trace, span) for trace, span in _calls(data, now) if span.summary.cost_nanousd is None]
    items = []
    for (model, _), spans in _grouped(without, _KEYS["model"]).items():
        last = max(spans, key=lambda span: span.summary.start_time)
        provider = last.summary.provider
        items.append(
            UnpricedModel(
                provider=provider,
                model=model,
                reason="no_price",
                calls=len(spans),
                usage=_usage(spans),
                last_seen=last.summary.start_time,
                example_trace_id=last.trace_id,
                remedy="No list knows this model. Fill in its prices.",
                price_file=f'[[models]]\nprovider = "{provider}"\nmodel = "{model}"\ninput =\noutput =\n',
            )
        )
    return UnpricedModels(items=items)


def duplicates(data: Dataset, now: Sequence[TraceDetail]) -> Duplicates:
    """Agents that repeat the tokens of their calls."""
    repeats = [
        span
        for trace in now
        for span in (data.spans[trace.summary.trace_id, each.span_id] for each in trace.spans)
        if span.usage_reason
    ]
    items = []
    for (reason, scope, name), spans in _by(
        repeats, lambda one: (one.usage_reason, one.scope, one.summary.name)
    ).items():
        last = max(spans, key=lambda span: span.summary.start_time)
        items.append(
            DuplicateGroup(
                reason=reason,
                meaning=meaning_of(reason),
                scope=scope,
                name=name,
                spans=len(spans),
                usage=_usage(spans),
                cost_nanousd=None,
                example_trace_id=last.trace_id,
                example_span_id=last.summary.span_id,
            )
        )
    return Duplicates(spans=len(repeats), usage=_usage(repeats), cost_nanousd=None, items=items)


def priced_models() -> PricedModels:
    """The dataset's models with a price."""
    return PricedModels(
        version="genai-prices 0.2.3",
        items=[
            PricedModel(provider=provider, model=model, input_usd=input_ / 1000, output_usd=output / 1000)
            for model, provider, input_, output in MODELS
            if input_ is not None and output is not None
        ],
    )


def what_if_model(data: Dataset, window: Window, now: Sequence[TraceDetail], provider: str, model: str) -> ModelWhatIf:
    """All calls at one of the dataset's prices."""
    rates = next(((one[2], one[3]) for one in MODELS if one[0] == model and provider in ("", one[1])), (None, None))
    calls = [(trace, span) for trace, span in _calls(data, now) if span.summary.kind == "llm"]
    swaps = [_swap(spans, rates) for spans in _grouped(calls, _KEYS["model"]).values()]
    swaps.sort(key=lambda swap: -(swap.cost_nanousd or 0))
    compared = sum(swap.compared_calls for swap in swaps)
    return ModelWhatIf(
        start=window[0],
        end=window[1],
        provider=provider,
        model=model,
        price_version="genai-prices 0.2.3" if rates[0] is not None else "",
        calls=sum(swap.calls for swap in swaps),
        compared_calls=compared,
        cost_nanousd=sum(swap.cost_nanousd or 0 for swap in swaps) if compared else None,
        cost_there_nanousd=sum(swap.cost_there_nanousd or 0 for swap in swaps) if compared else None,
        by_model=swaps,
        assumptions=["The other model takes and gives the same number of tokens."],
    )


def what_if_cache(data: Dataset, window: Window, now: Sequence[TraceDetail], ttl_seconds: int) -> CacheWhatIf:
    """Repeats of the same input, letter by letter."""
    calls = [
        (trace, span)
        for trace, span in _calls(data, now)
        if span.input and span.summary.status != "error" and span.summary.kind in ("llm", "embedding")
    ]
    top, hits, saved = [], 0, 0
    for spans in _by([span for _, span in calls], lambda span: (span.summary.model, span.input)).values():
        ordered = sorted(spans, key=lambda span: span.summary.start_time)
        filled, repeats = ordered[0], []
        for span in ordered[1:]:
            if (span.summary.start_time - filled.summary.start_time).total_seconds() < ttl_seconds:
                repeats.append(span)
            else:
                filled = span
        if not repeats:
            continue
        worth = sum(span.summary.cost_nanousd or 0 for span in repeats)
        hits, saved = hits + len(repeats), saved + worth
        top.append(
            RepeatedInput(
                model=ordered[0].summary.model,
                name=ordered[0].summary.name,
                calls=len(ordered),
                hits=len(repeats),
                saved_nanousd=worth if ordered[0].summary.cost_nanousd is not None else None,
                preview=ordered[0].summary.input_preview[:160],
                example_trace_id=ordered[0].trace_id,
                last_trace_id=ordered[-1].trace_id,
            )
        )
    cost = _totals([span for _, span in calls]).cost_nanousd
    return CacheWhatIf(
        start=window[0],
        end=window[1],
        match="exact",
        ttl_seconds=ttl_seconds,
        calls=len(calls),
        hits=hits,
        hit_rate=hits / len(calls) if calls else None,
        cost_nanousd=cost,
        saved_nanousd=None if cost is None else saved,
        top=sorted(top, key=lambda one: -(one.saved_nanousd or 0))[:20],
        assumptions=["The cache is empty at the start of the time range."],
    )


def _swap(spans: Sequence[SpanDetail], rates: tuple[int | None, int | None]) -> ModelSwap:
    into, out = rates
    usage = _usage(spans)
    known = into is not None and out is not None and spans[0].summary.cost_nanousd is not None
    return ModelSwap(
        provider=spans[0].summary.provider,
        model=spans[0].summary.model,
        calls=len(spans),
        compared_calls=len(spans) if known else 0,
        usage=usage,
        cost_nanousd=_totals(spans).cost_nanousd if known else None,
        cost_there_nanousd=usage.input * (into or 0) + usage.output * (out or 0) if known else None,
    )


def _calls(data: Dataset, traces: Sequence[TraceDetail]) -> list[tuple[TraceDetail, SpanDetail]]:
    return [
        (trace, data.spans[trace.summary.trace_id, span.span_id])
        for trace in traces
        for span in trace.spans
        if span.counts_usage
    ]


def _grouped(
    calls: Sequence[tuple[TraceDetail, SpanDetail]], key: Callable[[TraceDetail, SpanDetail], tuple[str, str]]
) -> dict[tuple[str, str], list[SpanDetail]]:
    found: dict[tuple[str, str], list[SpanDetail]] = {}
    for trace, span in calls:
        found.setdefault(key(trace, span), []).append(span)
    return found


def _by(
    spans: Sequence[SpanDetail], key: Callable[[SpanDetail], tuple[str, ...]]
) -> dict[tuple[str, ...], list[SpanDetail]]:
    found: dict[tuple[str, ...], list[SpanDetail]] = {}
    for span in spans:
        found.setdefault(key(span), []).append(span)
    return found


def _usage(spans: Sequence[SpanDetail]) -> Usage:
    return Usage(**{name: sum(getattr(span.summary.usage, name) for span in spans) for name in Usage.model_fields})


def _totals(spans: Sequence[SpanDetail]) -> CostTotals:
    known = [span.summary.cost_nanousd for span in spans if span.summary.cost_nanousd is not None]
    return CostTotals(
        calls=len(spans),
        unpriced_calls=len(spans) - len(known),
        usage=_usage(spans),
        cost_nanousd=sum(known) if known else None,
    )
