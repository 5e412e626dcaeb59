"""What clients send besides questions to the provider: OTLP, and requests to a vendor's own service.

Both are kept as they came. OTLP is answered as its specification asks; what else a vendor's SDK calls gets an answer
that keeps it going.
"""

import json
import re
import threading
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

OTLP_PATHS: Final = (
    "/v1/traces",
    "/v1/logs",
    "/v1/metrics",
    "/api/public/otel/v1/traces",
    "/api/public/otel/v1/logs",
    "/otel/v1/traces",
    "/otel/v1/logs",
)
_TRACELOOP_IMAGES: Final = re.compile(r"/v2/traces/\d+/spans/\d+/images")
"""Where Traceloop asks for a place to put an image."""
_KEPT_HEADERS: Final = ("content-type", "content-encoding", "user-agent", "authorization")
# What a vendor's SDK wants to hear; everything else gets {}.
_ANSWERS: Final[dict[str, Any]] = {
    "/v1/traceloop/prompts": {"prompts": [], "environment": "dev"},
    "/api/public/projects": {"data": [{"id": "golden", "name": "golden", "metadata": {}}]},
    "/api/public/health": {"status": "OK", "version": "3.0.0"},
    "/api/public/media": {"mediaId": "golden-media", "uploadUrl": None},
    "/api/public/ingestion": {"successes": [], "errors": []},
    "/info": {"version": "0.13.0", "batch_ingest_config": {"use_multipart_endpoint": True}},
    "/v1/models": {"object": "list", "data": []},
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that was not for the provider.

    Attributes:
        method: of HTTP.
        path: without query.
        headers: those that say how to read it; a key in them is cut down to its scheme.
        body: as it came.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """An answer of HTTP."""

    status: int
    kind: str
    body: bytes


class Receiver:
    """Keeps what was sent. Safe to use from several threads."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._lock = threading.Lock()

    def take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Keep a request and say what to answer.

        Args:
            method: of HTTP.
            path: with query.
            headers: with names in lower case.
            body: as it came.
        """
        path = path.split("?")[0]
        kept = {name: value for name, value in headers.items() if name in _KEPT_HEADERS or name.startswith("x-")}
        if "authorization" in kept:
            kept["authorization"] = kept["authorization"].split(" ")[0]
        with self._lock:
            self.sent.append(Sent(method, path, {key: kept[key] for key in sorted(kept)}, body))
        if path in OTLP_PATHS:
            is_json = headers.get("content-type", "").startswith("application/json")
            return Reply(200, "application/json", b"{}") if is_json else Reply(200, "application/x-protobuf", b"")
        answer = _ANSWERS.get(path, {})
        if _TRACELOOP_IMAGES.fullmatch(path):
            answer = {"url": f"http://{headers['host']}/images/{len(self.sent)}.png"}
        return Reply(200, "application/json", json.dumps(answer).encode())
