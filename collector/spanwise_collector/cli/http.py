"""Small HTTP requests with the standard library, so that the command needs no extra package."""

import http.client
import json
import urllib.error
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: HTTP status and body."""

    status: int
    body: bytes

    def json(self) -> dict[str, object]:
        """The body as a JSON object; empty when it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def get(url: str, *, timeout_s: float = 2.0) -> Answer | None:
    """GET `url`, past any configured proxy; None when nothing answers in time."""
    return _ask(urllib.request.Request(url), timeout_s)  # noqa: S310 - the user's own address


def post(url: str, body: dict[str, object], *, timeout_s: float = 10.0) -> Answer | None:
    """POST a JSON object to `url`, past any configured proxy; None when nothing answers in time."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)  # noqa: S310 - the user's own address
    return _ask(request, timeout_s)


def _ask(request: urllib.request.Request, timeout_s: float) -> Answer | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return Answer(response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())
    except (OSError, http.client.HTTPException):
        return None
