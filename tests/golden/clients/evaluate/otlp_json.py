"""OTLP requests as protobuf, from either encoding, by the reference mapping of protobuf JSON.

OTLP differs from it in one thing: ids are hex, not base64.
"""

import json
from base64 import b64encode
from typing import Any, Final, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from tests.golden.clients.stub.receiver import Sent

Request = TypeVar("Request", bound=Message)
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId"})


def protobuf_of(kind: type[Request], sent: Sent) -> Request:
    """A recorded request."""
    found = kind()
    if sent.headers.get("content-type", "").startswith("application/json"):
        ParseDict(_with_ids(json.loads(sent.body)), found, ignore_unknown_fields=True)
    else:
        found.ParseFromString(sent.body)
    return found


def _with_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: b64encode(bytes.fromhex(one)).decode() if key in _IDS and isinstance(one, str) else _with_ids(one)
            for key, one in value.items()
        }
    return [_with_ids(one) for one in value] if isinstance(value, list) else value
