"""The collector's API, with nothing but the standard library."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from spanwise._experiments_model import ExperimentError

ATTEMPTS: Final = 4
FIRST_WAIT_S: Final = 0.5
_AGAIN: Final = (429, 502, 503, 504)


class Api:
    """Asks one collector about one project.

    Args:
        url: its base address.
        project: asked about.
        key: sent as `Authorization: Bearer`; None sends none.
        timeout_s: of each request.
        wait: sleeps, in seconds.
    """

    def __init__(
        self,
        url: str,
        project: str,
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ExperimentError(f"SPANWISE_API_URL is {url!r}: give an address such as http://127.0.0.1:4318.")
        self.url = url.rstrip("/")
        self.project = project
        self._key = key
        self._timeout_s = timeout_s
        self._wait = wait
        # A proxy from the environment must not stand between two processes on one machine.
        local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
        self._opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))

    def get(self, *path: str, **parameters: object) -> dict[str, Any]:
        """GET; parameters that are empty are left out.

        Raises:
            ExperimentError: it does not answer, or refuses.
        """
        return self._ask(path, parameters, None)

    def post(self, *path: str, body: object) -> dict[str, Any]:
        """POST a JSON document. Every one that we send can be sent twice without harm.

        Raises:
            ExperimentError: it does not answer, or refuses.
        """
        return self._ask(path, {}, json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))

    def _ask(self, path: tuple[str, ...], parameters: dict[str, object], body: bytes | None) -> dict[str, Any]:
        given = {name: value for name, value in parameters.items() if value not in ("", None, [], ())}
        query = urlencode({"project": self.project, **given}, doseq=True)
        address = f"{self.url}/api/v1/{'/'.join(quote(part, safe='') for part in path)}?{query}"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(address, body, headers)  # noqa: S310 - checked to be http(s)
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._wait(FIRST_WAIT_S * 2 ** (attempt - 1))
            try:
                with self._opener.open(request, timeout=self._timeout_s) as response:
                    found: dict[str, Any] = json.loads(response.read())
                    return found
            except urllib.error.HTTPError as error:
                with error:
                    reason = _detail(error.code, error.read())
                if error.code not in _AGAIN:
                    raise ExperimentError(reason) from None
            except (OSError, HTTPException, ValueError) as error:
                reason = (
                    f"No collector answers at {self.url} ({error}). Start one with `spanwise up`, or correct "
                    "SPANWISE_API_URL."
                )
        raise ExperimentError(reason)


def _detail(status: int, body: bytes) -> str:
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = ""
    return str(detail) or f"The collector answered {status}."
