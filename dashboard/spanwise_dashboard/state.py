"""What a page shows, as query parameters: copying the address reproduces the page. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Final, get_args

from spanwise_dashboard.alerts_place import AlertsPlace, parse_place, place_query
from spanwise_dashboard.annotate_place import AnnotatePlace, annotate_query, parse_annotate
from spanwise_dashboard.compare_place import ComparePlace, compare_query, parse_compare
from spanwise_dashboard.datasets_place import DatasetsPlace, datasets_query, parse_datasets
from spanwise_dashboard.evals_place import EvalsPlace, evals_query, parse_evals
from spanwise_dashboard.experiments_place import ExperimentsPlace, experiments_query, parse_experiments
from spanwise_dashboard.failures_place import FailuresPlace, failures_query, parse_failures
from spanwise_dashboard.instants import instant, rfc3339
from spanwise_schemas.api_costs import CacheMatch, CostDimension

PRESETS: Final[dict[str, timedelta]] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "14d": timedelta(days=14),
}
PRESET_LABELS: Final[dict[str, str]] = {
    "15m": "Last 15 minutes",
    "1h": "Last hour",
    "6h": "Last 6 hours",
    "24h": "Last 24 hours",
    "7d": "Last 7 days",
    "14d": "Last 14 days",
}
DEFAULT_PRESET: Final = "24h"
DEFAULT_PROJECT: Final = "default"
STATUSES: Final = ("ok", "error", "unset")
SUCCEEDED: Final = ("ok", "unset")
"""OpenTelemetry leaves the status of most spans that did not fail unset."""
DIMENSIONS: Final[tuple[CostDimension, ...]] = get_args(CostDimension)
CACHES: Final[dict[str, tuple[CacheMatch, int]]] = {
    f"{match}-{life}": (match, seconds)
    for match in get_args(CacheMatch)
    for life, seconds in (("5m", 300), ("1h", 3600), ("1d", 86_400), ("7d", 604_800))
}
"""What counts as the same input, and the life time of an entry in seconds."""
DEFAULT_CACHE: Final = "exact-1h"
REFRESH_SECONDS: Final[dict[str, int | None]] = {"off": None, "10s": 10, "60s": 60}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A preset that moves with the clock, or two fixed instants.

    Attributes:
        preset: a key of `PRESETS`; ignored when start and end are set.
        start: first instant, UTC; None with a preset.
        end: the instant after the last, UTC; None with a preset.
    """

    preset: str = DEFAULT_PRESET
    start: datetime | None = None
    end: datetime | None = None

    @property
    def fixed(self) -> tuple[datetime, datetime] | None:
        """Both instants of a fixed range, or None with a preset."""
        return (self.start, self.end) if self.start is not None and self.end is not None else None

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """First instant and the one after the last."""
        return self.fixed or (now - PRESETS[self.preset], now)

    def wider(self) -> "TimeRange | None":
        """The next longer range, or None when there is none."""
        if self.fixed is not None:
            return TimeRange("14d")
        names = list(PRESETS)
        position = names.index(self.preset) + 1
        return TimeRange(names[position]) if position < len(names) else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which traces to show. Several values of one filter mean any of them, several filters mean all of them."""

    environment: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    prompt: tuple[str, ...] = ()
    provider: tuple[str, ...] = ()
    tool: tuple[str, ...] = ()
    user_group: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()
    user: str = ""
    session: str = ""
    q: str = ""
    min_cost_usd: float | None = None
    max_cost_usd: float | None = None
    min_duration_ms: float | None = None
    max_duration_ms: float | None = None

    @property
    def active(self) -> list[str]:
        """Names of the filters that are set."""
        return [each.name for each in fields(self) if getattr(self, each.name) not in ((), "", None)]


FORM_FILTERS: Final = ("environment", "name", "kind", "model", "tag")
LINKED_FILTERS: Final = ("release", "prompt", "provider", "tool", "user_group", "failure")
"""Set by links from other pages; shown and taken away as chips."""
LIST_FILTERS: Final = (*FORM_FILTERS, "status", *LINKED_FILTERS)
TEXT_FILTERS: Final = ("user", "session", "q")
NUMBER_FILTERS: Final = ("min_cost_usd", "max_cost_usd", "min_duration_ms", "max_duration_ms")


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what a page shows, besides the data.

    Attributes:
        project: which project; empty until one is chosen or known.
        cursor: where the list of traces goes on; empty for the first page.
        trace_id: the trace that is open, hex.
        span_id: the span that is selected in it, hex.
        refresh: a key of `REFRESH_SECONDS`.
        by: what costs are broken down by.
        model: the model that the what-if asks of, as `provider/model`; empty until one is chosen.
        cache: a key of `CACHES`.
        alerts: what is open of alerts, rules and drift.
        failures: what is open of failures.
        compare: what is compared.
        annotate: the queue, and who reviews.
        datasets: what is open of datasets.
        experiments: what is open of experiments.
        evals: which scores are shown.
    """

    project: str = ""
    time: TimeRange = field(default_factory=TimeRange)
    filters: Filters = field(default_factory=Filters)
    cursor: str = ""
    trace_id: str = ""
    span_id: str = ""
    refresh: str = "off"
    by: CostDimension = "model"
    model: str = ""
    cache: str = DEFAULT_CACHE
    alerts: AlertsPlace = field(default_factory=AlertsPlace)
    failures: FailuresPlace = field(default_factory=FailuresPlace)
    compare: ComparePlace = field(default_factory=ComparePlace)
    annotate: AnnotatePlace = field(default_factory=AnnotatePlace)
    datasets: DatasetsPlace = field(default_factory=DatasetsPlace)
    experiments: ExperimentsPlace = field(default_factory=ExperimentsPlace)
    evals: EvalsPlace = field(default_factory=EvalsPlace)

    def on_trace(self, trace_id: str, span_id: str = "") -> "State":
        """The same place with a trace open."""
        return replace(self, trace_id=trace_id, span_id=span_id)

    def filtered(self, **changes: object) -> "State":
        """The same place, first page, with these filters changed."""
        return replace(self, filters=replace(self.filters, **changes), cursor="")  # type: ignore[arg-type]

    def only(self, **filters: object) -> "State":
        """The same project and time, first page, with these filters alone."""
        return replace(self, filters=Filters(**filters), cursor="", trace_id="", span_id="")  # type: ignore[arg-type]


def parse(parameters: Mapping[str, Sequence[str]]) -> State:
    """Reads query parameters. What does not read falls back to its default: a mistyped address still opens.

    Args:
        parameters: each key with all its values.
    """
    refresh, by, cache = (_text(parameters, key) for key in ("refresh", "by", "cache"))
    return State(
        project=_text(parameters, "project"),
        time=_time_range(parameters),
        filters=_filters(parameters),
        cursor=_text(parameters, "cursor"),
        trace_id=_text(parameters, "trace"),
        span_id=_text(parameters, "span"),
        refresh=refresh if refresh in REFRESH_SECONDS else "off",
        by=next((known for known in DIMENSIONS if known == by), "model"),
        model=_text(parameters, "to_model"),
        cache=cache if cache in CACHES else DEFAULT_CACHE,
        alerts=parse_place(parameters),
        failures=parse_failures(parameters),
        compare=parse_compare(parameters),
        annotate=parse_annotate(parameters),
        datasets=parse_datasets(parameters),
        experiments=parse_experiments(parameters),
        evals=parse_evals(parameters),
    )


def query(state: State) -> dict[str, str | list[str]]:
    """The query parameters of a state; defaults are left out. `parse` reads them back."""
    found: dict[str, str | list[str]] = {"project": state.project}
    if state.time.fixed is not None:
        start, end = state.time.fixed
        found |= {"from": rfc3339(start), "to": rfc3339(end)}
    elif state.time.preset != DEFAULT_PRESET:
        found["range"] = state.time.preset
    found |= {key: list(getattr(state.filters, key)) for key in LIST_FILTERS}
    found |= {key: str(getattr(state.filters, key)) for key in TEXT_FILTERS}
    found |= {key: _number_text(getattr(state.filters, key)) for key in NUMBER_FILTERS}
    found |= {"cursor": state.cursor, "trace": state.trace_id, "span": state.span_id}
    found["refresh"] = "" if state.refresh == "off" else state.refresh
    found["by"] = "" if state.by == "model" else state.by
    found["to_model"] = state.model
    found["cache"] = "" if state.cache == DEFAULT_CACHE else state.cache
    found |= {**place_query(state.alerts), **failures_query(state.failures), **compare_query(state.compare)}
    found |= annotate_query(state.annotate)
    found |= {**datasets_query(state.datasets), **experiments_query(state.experiments)}
    found |= evals_query(state.evals)
    return {key: value for key, value in found.items() if value}


def _filters(parameters: Mapping[str, Sequence[str]]) -> Filters:
    return Filters(
        environment=_texts(parameters.get("environment", ())),
        name=_texts(parameters.get("name", ())),
        kind=_texts(parameters.get("kind", ())),
        model=_texts(parameters.get("model", ())),
        status=tuple(value for value in _texts(parameters.get("status", ())) if value in STATUSES),
        tag=_texts(parameters.get("tag", ())),
        release=_texts(parameters.get("release", ())),
        prompt=_texts(parameters.get("prompt", ())),
        provider=_texts(parameters.get("provider", ())),
        tool=_texts(parameters.get("tool", ())),
        user_group=_texts(parameters.get("user_group", ())),
        failure=_texts(parameters.get("failure", ())),
        user=_text(parameters, "user"),
        session=_text(parameters, "session"),
        q=_text(parameters, "q"),
        min_cost_usd=_number(_text(parameters, "min_cost_usd")),
        max_cost_usd=_number(_text(parameters, "max_cost_usd")),
        min_duration_ms=_number(_text(parameters, "min_duration_ms")),
        max_duration_ms=_number(_text(parameters, "max_duration_ms")),
    )


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _text(parameters: Mapping[str, Sequence[str]], key: str) -> str:
    values = parameters.get(key, ())
    return values[-1] if values else ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _number_text(value: float | None) -> str:
    return "" if value is None else repr(float(value)).removesuffix(".0")


def _time_range(parameters: Mapping[str, Sequence[str]]) -> TimeRange:
    start, end = instant(_text(parameters, "from")), instant(_text(parameters, "to"))
    if start is not None and end is not None and start < end:
        return TimeRange(start=start, end=end)
    preset = _text(parameters, "range")
    return TimeRange(preset if preset in PRESETS else DEFAULT_PRESET)
