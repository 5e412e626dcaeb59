"""Errors as problem documents (RFC 9457): what was wrong and what to do about it, never a stack trace."""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from spanwise_collector.api.instruments import Instruments
from spanwise_collector.query.cursor import CursorError
from spanwise_collector.query.search import SearchError
from spanwise_collector.query.window import WindowError
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.store.errors import QueryLimitError, StoreError, TransientStoreError
from spanwise_schemas.api import Problem

MEDIA_TYPE: Final = "application/problem+json"
_KINDS: Final = {Reason.AWAY: "log-unavailable", Reason.BUSY: "too-many-requests"}
log = logging.getLogger(__name__)


class NotFoundError(LookupError):
    """What was asked for is not there; the message says what and where it was looked for."""


def problem(request: Request, status: int, kind: str, detail: str, errors: Sequence[dict[str, str]] = ()) -> Response:
    """An error answer.

    Args:
        request: names the instance and the request id.
        status: HTTP status code.
        kind: last part of the problem type; documented in docs/api.md.
        detail: for a person: what was wrong, what to do.
        errors: one entry per wrong parameter.
    """
    document = Problem(
        type=f"/problems/{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=list(errors),
    )
    return Response(document.model_dump_json(), status_code=status, media_type=MEDIA_TYPE)


def install(app: FastAPI, instruments: Instruments) -> None:
    """Make every error of the app a problem document, and count those of the store."""

    def too_large(request: Request, error: Exception) -> Response:
        instruments.store_errors.labels("limit").inc()
        log.warning("%s %s: %s", request.method, request.url.path, error)
        detail = "The query took more time or memory than it may. Narrow the time range (`from`, `to`) or add filters."
        return problem(request, 504, "query-too-large", detail)

    def store_away(request: Request, error: Exception) -> Response:
        instruments.store_errors.labels("transient").inc()
        log.warning("%s %s: %s", request.method, request.url.path, error)
        detail = "ClickHouse does not answer now; try again. /readyz says what is wrong."
        answer = problem(request, 503, "store-unavailable", detail)
        answer.headers["Retry-After"] = "5"
        return answer

    def store_failed(request: Request, error: Exception) -> Response:
        instruments.store_errors.labels("other").inc()
        return unexpected(request, error)

    app.add_exception_handler(NotTakenError, _not_taken)
    app.add_exception_handler(WindowError, _wrong_value)
    app.add_exception_handler(CursorError, _wrong_value)
    app.add_exception_handler(SearchError, _wrong_value)
    app.add_exception_handler(NotFoundError, _not_found)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(QueryLimitError, too_large)
    app.add_exception_handler(TransientStoreError, store_away)
    app.add_exception_handler(StoreError, store_failed)


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; the log gets the reason under the request's id."""
    request_id = getattr(request.state, "request_id", "")
    log.error("%s %s failed (request %s)", request.method, request.url.path, request_id, exc_info=error)
    detail = f"This is a fault of the collector; its log has the reason under request {request_id}."
    return problem(request, 500, "internal", detail)


def _wrong_value(request: Request, error: Exception) -> Response:
    return problem(request, 400, "bad-request", str(error))


def _not_taken(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotTakenError)
    codes = error.reason.value
    kind = _KINDS.get(error.reason, error.reason.name.lower().replace("_", "-"))
    answer = problem(request, codes.http, kind, error.detail)
    if codes.retry_after_s is not None:
        answer.headers["Retry-After"] = str(codes.retry_after_s)
    if error.reason is Reason.NO_KEY:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="spanwise"'
    return answer


def _not_found(request: Request, error: Exception) -> Response:
    return problem(request, 404, "not-found", str(error))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    lines = [_line(dict(one)) for one in error.errors()]
    detail = "; ".join(f"{line['parameter']}: {line['detail']}" for line in lines)
    return problem(request, 422, "invalid-parameters", detail, lines)


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return problem(request, 404, "not-found", f"There is no {request.url.path}; /docs lists the endpoints.")
    if error.status_code == 405:
        detail = f"{request.method} is not possible here; this API is read with GET."
        answer = problem(request, 405, "method-not-allowed", detail)
        answer.headers.update(error.headers or {})
        return answer
    return problem(request, error.status_code, "http", str(error.detail))


def _line(error: dict[str, Any]) -> dict[str, str]:
    place = [str(part) for part in error["loc"] if part not in ("query", "path")]
    return {"parameter": ".".join(place), "detail": str(error["msg"])}
