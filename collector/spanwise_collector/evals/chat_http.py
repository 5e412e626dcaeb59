"""POST to a model's endpoint: the only module of evals that knows httpx.

A call has a time limit as a whole, follows no redirect, and reads a bounded answer.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from time import time
from typing import Any, Final, Protocol, TypeVar

import httpx

from spanwise_collector.evals.stopping import StoppedError

ANSWER_BYTES: Final = 2_000_000
CONNECT_S: Final = 10.0
CONNECTIONS: Final = 256
_GRACE_S: Final = 5.0
T = TypeVar("T")


class EndpointTimeoutError(Exception):
    """No whole answer came in time; the endpoint may have done the work, and may charge for it."""


class EndpointAwayError(Exception):
    """The endpoint was not reached: it has done nothing."""


class EndpointBrokenError(Exception):
    """The connection broke, or the answer is no HTTP or too long; the endpoint may have done the work."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: of the answer.
        retry_after_s: what the endpoint asks to wait; None where it does not say.
    """

    status: int
    body: bytes
    retry_after_s: float | None = None


class ChatEndpoint(Protocol):
    """Sends one request. Used by several threads; every call ends about when its time is over."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
        """POST a body.

        Raises:
            EndpointTimeoutError: no whole answer within `timeout_s`.
            EndpointAwayError: it was not reached.
            EndpointBrokenError: what came cannot be read.
            StoppedError: the process stops.
        """
        ...


class HttpEndpoint:
    """`ChatEndpoint` over HTTP. Connections are kept; they live on one event loop, in a thread of its own."""

    def __init__(self) -> None:
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="spanwise-judge-http", daemon=True)
        self._thread.start()
        self._client: httpx.AsyncClient = self._wait(self._open(), CONNECT_S)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Reply:
        """See `ChatEndpoint.post`."""
        if self._closed:
            raise StoppedError("the collector stops")
        try:
            # The loop keeps the time; the thread waits a little longer, so that it has the last word.
            return self._wait(asyncio.wait_for(self._post(url, body, headers), timeout_s), timeout_s + _GRACE_S)
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            raise EndpointTimeoutError(f"no whole answer within {timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise EndpointAwayError(f"it cannot be reached ({type(error).__name__}: {error})") from None
        except CancelledError:
            raise StoppedError("the call was given up, since the collector stops") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise EndpointBrokenError(f"the connection broke ({type(error).__name__}: {error})") from None

    def close(self) -> None:
        """End all connections and calls under way. Safe to call twice, from one thread."""
        if self._closed:
            return
        self._closed = True
        self._wait(self._shut(), _GRACE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_GRACE_S)
        self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except BaseException:
            future.cancel()
            raise

    async def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_S, pool=CONNECT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            headers={"User-Agent": f"spanwise/{version('spanwise')}"},
        )

    async def _shut(self) -> None:
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        async with self._client.stream("POST", url, content=body, headers=dict(headers)) as answer:
            found = b""
            async for chunk in answer.aiter_bytes():
                found += chunk
                if len(found) > ANSWER_BYTES:
                    raise httpx.DecodingError(f"the answer is longer than {ANSWER_BYTES:,} bytes")
            return Reply(answer.status_code, found, retry_after(answer.headers.get("Retry-After", ""), time()))


def retry_after(value: str, now_s: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or as a date; None for neither.

    Args:
        value: of the header.
        now_s: current time, seconds since the epoch.
    """
    value = value.strip()
    try:
        return max(0.0, float(value)) if value.replace(".", "", 1).isdecimal() else _until(value, now_s)
    except (ValueError, OverflowError):
        return None


def _until(value: str, now_s: float) -> float:
    return max(0.0, parsedate_to_datetime(value).timestamp() - now_s)
