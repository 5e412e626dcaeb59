"""The collector's HTTP API, typed. The dashboard's only input and output."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from spanwise_dashboard.errors import (
    ApiError,
    CollectorAwayError,
    CollectorNotReadyError,
    CollectorSlowError,
    NotAllowedError,
    NotFoundError,
    RequestRefusedError,
    UnexpectedAnswerError,
)
from spanwise_dashboard.state import LINKED_FILTERS, Filters
from spanwise_schemas.api import (
    Facets,
    GroupBy,
    Metric,
    MetricSeries,
    Overview,
    Pipeline,
    Problem,
    Projects,
    SpanDetail,
    TraceDetail,
    TracePage,
)
from spanwise_schemas.api_audit import Audit
from spanwise_schemas.api_costs import (
    CacheMatch,
    CacheWhatIf,
    CostBreakdown,
    CostDimension,
    Costs,
    Duplicates,
    ModelWhatIf,
    PricedModels,
    UnpricedModels,
)
from spanwise_schemas.api_explain import TraceExplanation

Answer = TypeVar("Answer", bound=BaseModel)
_JSON: Final = {"Content-Type": "application/json"}
Parameter = str | int | float | Sequence[str] | datetime | None


class Client:
    """Asks one collector. Safe to share between threads.

    Every method raises an `ApiError` (see `spanwise_dashboard.errors`) and nothing else.

    Args:
        base_url: the collector's address, such as `http://127.0.0.1:4318`.
        api_key: sent as `Authorization: Bearer`; empty for none.
        timeout_s: the longest a request may take, in seconds.
        transport: replaces the network, for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str = "",
        timeout_s: float = 15.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url
        self._timeout_s = timeout_s
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, connect=min(3.0, timeout_s)),
            transport=transport,
            headers={"Accept": "application/json"} | ({"Authorization": f"Bearer {api_key}"} if api_key else {}),
            # A proxy from the environment must not stand between two processes on one machine.
            trust_env=not _is_loopback(base_url),
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def projects(self) -> Projects:
        """All projects, most recently active first."""
        return self.get("/api/v1/projects", Projects, {})

    def traces(
        self, project: str, start: datetime, end: datetime, filters: Filters, *, limit: int = 50, cursor: str = ""
    ) -> TracePage:
        """Traces that started in [start, end) and match the filters, newest first; `cursor` goes on after a page."""
        parameters = {**_window(project, start, end), **_filter_parameters(filters)}
        return self.get("/api/v1/traces", TracePage, {**parameters, "limit": limit, "cursor": cursor})

    def trace(self, project: str, trace_id: str) -> TraceDetail:
        """One trace with all its spans, without bodies."""
        return self.get(f"/api/v1/traces/{segment(trace_id)}", TraceDetail, {"project": project})

    def span(self, project: str, trace_id: str, span_id: str) -> SpanDetail:
        """One span with its bodies."""
        path = f"/api/v1/traces/{segment(trace_id)}/spans/{segment(span_id)}"
        return self.get(path, SpanDetail, {"project": project})

    def overview(self, project: str, start: datetime, end: datetime, filters: Filters) -> Overview:
        """Totals of [start, end) and of the window before it; only environment, name and model filter here."""
        return self.get("/api/v1/overview", Overview, {**_window(project, start, end), **_dimension_filters(filters)})

    def metrics(
        self,
        project: str,
        start: datetime,
        end: datetime,
        metric: Metric,
        filters: Filters,
        *,
        group_by: GroupBy = "none",
        step_seconds: int | None = None,
    ) -> MetricSeries:
        """A metric over [start, end) in steps, as one line or one per group."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters), "metric": metric}
        return self.get(
            "/api/v1/metrics", MetricSeries, {**parameters, "group_by": group_by, "step_seconds": step_seconds}
        )

    def costs(self, project: str, start: datetime, end: datetime, filters: Filters) -> Costs:
        """Costs of [start, end) and of the window before it; only environment, name and model filter here."""
        return self.get("/api/v1/costs", Costs, {**_window(project, start, end), **_dimension_filters(filters)})

    def costs_by(
        self, project: str, start: datetime, end: datetime, filters: Filters, dimension: CostDimension
    ) -> CostBreakdown:
        """The dearest values of one dimension, with the window before."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters)}
        return self.get(f"/api/v1/costs/by/{dimension}", CostBreakdown, parameters)

    def unpriced(self, project: str, start: datetime, end: datetime, filters: Filters) -> UnpricedModels:
        """Models whose calls have no cost, why, and what to do."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters)}
        return self.get("/api/v1/costs/unpriced", UnpricedModels, parameters)

    def duplicates(self, project: str, start: datetime, end: datetime, filters: Filters) -> Duplicates:
        """What would have been counted twice."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters)}
        return self.get("/api/v1/costs/duplicates", Duplicates, parameters)

    def priced_models(self) -> PricedModels:
        """Models that have a price."""
        return self.get("/api/v1/prices/models", PricedModels, {})

    def what_if_model(
        self, project: str, start: datetime, end: datetime, filters: Filters, *, provider: str, model: str
    ) -> ModelWhatIf:
        """The window's calls at another model's prices."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters)}
        return self.get(
            "/api/v1/what-if/model", ModelWhatIf, {**parameters, "to_provider": provider, "to_model": model}
        )

    def what_if_cache(
        self, project: str, start: datetime, end: datetime, filters: Filters, *, match: CacheMatch, ttl_seconds: int
    ) -> CacheWhatIf:
        """What a cache of answers would have saved."""
        parameters = {**_window(project, start, end), **_dimension_filters(filters)}
        return self.get(
            "/api/v1/what-if/cache", CacheWhatIf, {**parameters, "match": match, "ttl_seconds": ttl_seconds}
        )

    def explain(self, project: str, trace_id: str, span_id: str) -> TraceExplanation:
        """Where the values of one span come from."""
        path = f"/api/v1/traces/{segment(trace_id)}/explain"
        return self.get(path, TraceExplanation, {"project": project, "span": segment(span_id)})

    def facets(self, project: str, start: datetime, end: datetime) -> Facets:
        """The values that can be filtered by."""
        return self.get("/api/v1/facets", Facets, _window(project, start, end))

    def pipeline(self, start: datetime, end: datetime) -> Pipeline:
        """State of the road from Kafka to the tables."""
        return self.get("/api/v1/pipeline", Pipeline, {"from": start, "to": end})

    def audit(self, start: datetime, end: datetime) -> Audit:
        """Whether everything that was stored in [start, end) adds up."""
        return self.get("/api/v1/audit", Audit, {"from": start, "to": end})

    def get(self, path: str, model: type[Answer], parameters: Mapping[str, Parameter]) -> Answer:
        """Reads what is at a path."""
        return self._read(path, model, self._ask("GET", path, parameters))

    def send(
        self,
        method: Literal["POST", "PUT"],
        path: str,
        model: type[Answer],
        parameters: Mapping[str, Parameter],
        body: BaseModel | None = None,
    ) -> Answer:
        """Sends a document, or nothing but the request, and reads the answer."""
        return self._read(path, model, self._ask(method, path, parameters, body))

    def change(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        path: str,
        parameters: Mapping[str, Parameter],
        body: BaseModel | None = None,
    ) -> None:
        """Changes something where no answer but that it was done is of interest."""
        self._ask(method, path, parameters, body)

    def _ask(
        self, method: str, path: str, parameters: Mapping[str, Parameter], body: BaseModel | None = None
    ) -> httpx.Response:
        document, headers = (None, None) if body is None else (body.model_dump_json(), _JSON)
        try:
            response = self._http.request(method, path, params=_encode(parameters), content=document, headers=headers)
        except httpx.ConnectTimeout as error:
            raise self._away("nothing answered within 3 seconds") from error
        except httpx.TimeoutException as error:
            raise CollectorSlowError(f"The collector did not answer within {self._timeout_s:g} seconds.") from error
        except httpx.TransportError as error:
            raise self._away(str(error) or type(error).__name__) from error
        if not response.is_success:
            raise _refusal(response)
        return response

    def _read(self, path: str, model: type[Answer], response: httpx.Response) -> Answer:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the document"
            raise UnexpectedAnswerError(f"The answer to {path} does not read: {where}: {first['msg']}.") from error

    def _away(self, reason: str) -> CollectorAwayError:
        return CollectorAwayError(
            f"The collector at {self.base_url} does not answer: {reason}.",
            remedy="Start it with `spanwise up` (or `spanwise collector`), or set SPANWISE_API_URL to where it runs.",
        )


def _window(project: str, start: datetime, end: datetime) -> dict[str, Parameter]:
    return {"project": project, "from": start, "to": end}


def _dimension_filters(filters: Filters) -> dict[str, Parameter]:
    return {"environment": filters.environment, "name": filters.name, "model": filters.model}


def _filter_parameters(filters: Filters) -> dict[str, Parameter]:
    return {
        **_dimension_filters(filters),
        "kind": filters.kind,
        "status": filters.status,
        "tag": filters.tag,
        **{name: getattr(filters, name) for name in LINKED_FILTERS},
        "user": filters.user,
        "session": filters.session,
        "q": filters.q,
        "min_cost_usd": filters.min_cost_usd,
        "max_cost_usd": filters.max_cost_usd,
        "min_duration_ms": filters.min_duration_ms,
        "max_duration_ms": filters.max_duration_ms,
    }


def _encode(parameters: Mapping[str, Parameter]) -> list[tuple[str, str | int | float | None]]:
    pairs: list[tuple[str, str | int | float | None]] = []
    for key, value in parameters.items():
        if value is None or value == "":
            continue
        if isinstance(value, datetime):
            pairs.append((key, value.astimezone(UTC).isoformat().replace("+00:00", "Z")))
        elif isinstance(value, str | int | float):
            pairs.append((key, value))
        else:
            pairs.extend((key, item) for item in value)
    return pairs


def segment(identifier: str) -> str:
    """An id as a part of a path. Ids come from the address bar: only letters and digits may become part of one.

    Raises:
        NotFoundError: it has anything else.
    """
    if not identifier.isalnum() or not identifier.isascii():
        raise NotFoundError(f"{identifier!r} is not an id.", remedy="Open it from the list.")
    return identifier


def _refusal(response: httpx.Response) -> ApiError:
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return UnexpectedAnswerError(f"{response.url.copy_with(query=None)} answered {response.status_code}.")
    detail = problem.detail or problem.title
    if problem.errors:
        detail = "; ".join(f"{line.get('parameter', '')}: {line.get('detail', '')}" for line in problem.errors)
    match response.status_code:
        case 401 | 403:
            return NotAllowedError(detail)
        case 404:
            return NotFoundError(detail)
        case 400 | 422:
            return RequestRefusedError(detail, problem)
        case 503:
            return CollectorNotReadyError(detail)
        case 504:
            return CollectorSlowError(detail)
        case status:
            return ApiError(f"The collector answered {status}: {detail}")


def _is_loopback(url: str) -> bool:
    return httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")
