"""OTLP/HTTP: paths, headers and status codes, as the OTLP specification has them."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import APIRouter, Request, Response

from spanwise_collector.receive.access import Doorkeeper
from spanwise_collector.receive.admission import Admission
from spanwise_collector.receive.answers import MEDIA_TYPES, Form, answer_form, failure, form_of, success
from spanwise_collector.receive.body import read_body
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.inflate import encoding_of
from spanwise_collector.receive.intake import Body, Intake
from spanwise_collector.receive.limits import ReceiveLimits
from spanwise_collector.receive.meters import Meters
from spanwise_collector.receive.signals import Signal

PREFIXES: Final = ("", "/api/public/otel", "/otel")
"""Langfuse's clients and some others insist on a path of their own."""
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
log = logging.getLogger(__name__)


class HttpReceiver:
    """Answers export requests over HTTP."""

    def __init__(
        self,
        *,
        signals: Sequence[Signal],
        intake: Intake,
        doorkeeper: Doorkeeper,
        admission: Admission,
        limits: ReceiveLimits,
        meters: Meters,
    ) -> None:
        self._signals = signals
        self._intake = intake
        self._doorkeeper = doorkeeper
        self._admission = admission
        self._limits = limits
        self._meters = meters

    def router(self) -> APIRouter:
        """All paths; they answer every method, so that a wrong one gets a sentence."""
        router = APIRouter(include_in_schema=False)
        for prefix in PREFIXES:
            for signal in self._signals:
                router.add_api_route(f"{prefix}/v1/{signal.name}", self._handler(signal), methods=_METHODS)
            router.add_api_route(f"{prefix}/v1/metrics", _no_metrics, methods=_METHODS)
        return router

    def _handler(self, signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        async def export(request: Request) -> Response:
            answer = await self._answer(signal, request)
            self._meters.answered("http", signal, answer.status_code)
            return answer

        return export

    async def _answer(self, signal: Signal, request: Request) -> Response:
        headers = request.headers
        content_type = headers.get("content-type", "")
        try:
            if request.method != "POST":
                raise NotTakenError(
                    Reason.WRONG_METHOD, f"Send {signal.noun} to {request.url.path} with POST, not {request.method}."
                )
            access = self._doorkeeper.admit(headers, request.client.host if request.client else "")
            form = form_of(content_type)
            encoding = encoding_of(headers.get("content-encoding", ""))
            with self._admission.request() as lease:
                data = await read_body(request.stream(), headers, self._limits, lease)
                self._meters.arrived("http", len(data))
                taken = await self._intake.take(signal, Body(data, encoding, form), access, lease)
        except NotTakenError as error:
            return _failed(error, answer_form(content_type))
        except Exception:
            log.exception("An OTLP/HTTP request failed")
            fault = NotTakenError(Reason.FAULT, "This is a fault of the collector; its log has the reason.")
            return _failed(fault, answer_form(content_type))
        return Response(success(signal, taken, form), media_type=MEDIA_TYPES[form])


async def _no_metrics(_request: Request) -> Response:
    detail = "Spanwise takes traces and logs, no metrics. Set OTEL_METRICS_EXPORTER=none where they are sent."
    return _failed(NotTakenError(Reason.NOT_FOUND, detail), "json")


def _failed(error: NotTakenError, form: Form) -> Response:
    codes = error.reason.value
    answer = Response(failure(error, form), status_code=codes.http, media_type=MEDIA_TYPES[form])
    if codes.retry_after_s is not None:
        answer.headers["Retry-After"] = str(codes.retry_after_s)
    if error.reason is Reason.NO_KEY:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="spanwise"'
    if error.reason is Reason.WRONG_METHOD:
        answer.headers["Allow"] = "POST"
    return answer
