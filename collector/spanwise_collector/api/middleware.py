"""Around every request: an id, the time it took, and an answer even when the code fails."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from spanwise_collector.api.instruments import Instruments
from spanwise_collector.api.problems import unexpected

REQUEST_ID: Final = "X-Request-ID"
_SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestObserver:
    """ASGI middleware: the caller's request id or a new one, the time taken, a problem document for a fault."""

    def __init__(self, app: ASGIApp, instruments: Instruments, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._instruments = instruments
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get(REQUEST_ID, "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        request.state.request_id = request_id
        status = 0
        started = self._clock()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:  # the answer has begun; the server closes the connection
                raise
            await unexpected(request, error)(scope, receive, send_with_id)
        finally:
            # Unknown paths share one label, so that a scanner cannot make the metrics grow.
            route = getattr(scope.get("route"), "path", "(none)")
            self._instruments.requests.labels(request.method, route, str(status)).observe(self._clock() - started)
