"""Small HTTP requests with the standard library, so that the command needs no extra package."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Answers with a redirect as it came."""

    def redirect_request(self, *_: object) -> None:
        """None: it is not followed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: HTTP status, body, and headers by their names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """The body as a JSON object; empty when it is something else."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def get(url: str, *, key: str = "", timeout_s: float = 2.0) -> Answer | None:
    """GET `url`, past any configured proxy; None when nothing answers in time.

    Args:
        url: to ask.
        key: an API key to show; empty for none.
        timeout_s: of each step of the exchange.
    """
    return _ask("GET", url, key, timeout_s)


def post(url: str, body: dict[str, object], *, key: str = "", timeout_s: float = 10.0) -> Answer | None:
    """POST a JSON object; else like `get`."""
    return _ask("POST", url, key, timeout_s, json.dumps(body).encode(), "application/json")


def post_bytes(url: str, body: bytes, *, key: str = "", timeout_s: float) -> Answer | None:
    """POST a file; else like `get`."""
    return _ask("POST", url, key, timeout_s, body, "application/octet-stream")


def delete(url: str, *, key: str = "", timeout_s: float = 10.0) -> Answer | None:
    """DELETE; else like `get`."""
    return _ask("DELETE", url, key, timeout_s)


def _ask(
    method: str, url: str, key: str, timeout_s: float, body: bytes | None = None, content_type: str = ""
) -> Answer | None:
    headers = {"Content-Type": content_type} if content_type else {}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, body, headers, method=method)  # noqa: S310 - the user's own address
    # A redirect would carry the key to another address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects())
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return Answer(
                response.status, response.read(), {name.lower(): value for name, value in response.headers.items()}
            )
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read())
    except (OSError, http.client.HTTPException):
        return None
