"""What is fuzzed: functions of bytes that may refuse, and may neither raise anything else nor miscount."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.ingest.draft import Batch
from spanwise_collector.ingest.pins import parse_metadata
from spanwise_collector.ingest.records import Record
from spanwise_collector.ingest.transform import Transformer
from spanwise_collector.normalise.decode import decode
from spanwise_collector.normalise.masking import Masker
from spanwise_collector.normalise.problems import Refused
from spanwise_collector.receive.errors import NotTakenError
from spanwise_collector.receive.inflate import Encoding, inflate
from spanwise_collector.receive.json_form import read_json
from spanwise_collector.receive.signals import LOGS, TRACES, Signal
from spanwise_collector.receive.split import split
from spanwise_schemas.masking import Masks
from spanwise_schemas.wire import LOGS_TOPIC, SPANS_TOPIC, Envelope
from tests.golden.clients.recording import load, names

NOW_MS: Final = 1_795_348_800_000
MAX_BYTES: Final = 65_536
SEED_BYTES: Final = 30_000
"""Larger bodies of the recordings are left out: more inputs are tried with small ones."""
_ENCODINGS: Final[tuple[Encoding, ...]] = ("gzip", "deflate", "identity")
_MASKS: Final = Masks.of("email,credit_card", "*password*,authorization")
assert _MASKS is not None
_MASKER: Final = Masker(_MASKS)
_PLAIN: Final = Transformer(prices=PriceBook(), retention_days=65_535)
_MASKING: Final = Transformer(prices=PriceBook(), retention_days=65_535, masker=_MASKER)


def spans(data: bytes) -> None:
    """A record of spans: rows, or a rejection with a reason; twice the same; no item is lost."""
    _transform(SPANS_TOPIC, data)


def logs(data: bytes) -> None:
    """A record of logs: likewise."""
    _transform(LOGS_TOPIC, data)


def otlp_json(data: bytes) -> None:
    """A request in JSON: read or refused, and what was read goes into records without a loss."""
    for signal in (TRACES, LOGS):
        with suppress(NotTakenError):
            _split(signal, read_json(signal, data)[0], None)


def otlp_protobuf(data: bytes) -> None:
    """A request in protobuf, likewise, with and without masks."""
    for signal in (TRACES, LOGS):
        with suppress(NotTakenError, Refused):
            found = decode(signal.request, data)
            _split(signal, found.request, None if found.mended else data)
            _MASKER.mask_request(found.request)
            _split(signal, found.request, None)


def compressed(data: bytes) -> None:
    """A compressed body: never more comes out than the limit."""
    for encoding in _ENCODINGS:
        told: list[int] = []
        with suppress(NotTakenError):
            assert len(inflate(data, encoding, MAX_BYTES, told.append)) <= MAX_BYTES
        assert sum(told) <= MAX_BYTES + 65_536, told


def refused(data: bytes) -> None:
    """A refused record on its way to the rejects topic: masked, of the same length."""
    for topic in (SPANS_TOPIC, LOGS_TOPIC):
        masked = _MASKER.refused(data, topic)
        assert masked is not None
        assert len(masked) == len(data)


def headers(data: bytes) -> None:
    """Headers of a record, and what lies beside a committed offset."""
    parts = data.split(b"\0")
    keys = ("spanwise-producer", "spanwise-seq", "spanwise-spans", "spanwise-dropped", "spanwise-project")
    found = tuple(zip(keys, [*parts, None, None, None, None, None], strict=False))
    Envelope.from_headers(found)
    _MASKER.headers(found)
    _PLAIN.transform([_record(SPANS_TOPIC, b"", found)], frozenset())
    parse_metadata(data.decode("utf-8", "replace"))


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    one.__name__: one for one in (spans, logs, otlp_json, otlp_protobuf, compressed, refused, headers)
}


def seeds(target: str) -> Iterator[bytes]:
    """Where to begin: what real clients have sent, and a few forms of it."""
    bodies = [(one.path, one.body) for name in names() for one in load(name).sent[:2] if len(one.body) < SEED_BYTES]
    wanted = "log" if target == "logs" else "trace"
    for path, body in bodies:
        if target == "compressed":
            yield zlib.compress(body[:2_000])
        elif target == "headers":
            yield b"0123456789abcdef0123456789abcdef\x0017\x00100\x000\x00shop"
            yield json.dumps({"id": "x", "to": 7, "v": "1"}).encode()
        elif target == "otlp_json":
            yield _as_json(body)
        elif target in ("otlp_protobuf", "refused") or wanted in path:
            yield body


def _as_json(body: bytes) -> bytes:
    from google.protobuf.json_format import MessageToJson

    try:
        return MessageToJson(ExportTraceServiceRequest.FromString(body), indent=None).encode()
    except Exception:  # a body in another form is a seed as it is
        return body


def _transform(topic: str, data: bytes) -> None:
    record = _record(topic, data, Envelope("0" * 32, 0, 1, 0).to_headers())
    first = _PLAIN.transform([record], frozenset())
    _check(first, data)
    again = _PLAIN.transform([record], frozenset())
    # By their bytes: a score may be no number, which equals nothing.
    assert {name: _bytes(rows) for name, rows in first.tables.items()} == {
        name: _bytes(rows) for name, rows in again.tables.items()
    }
    _check(_MASKING.transform([record], frozenset()), data)


def _check(batch: Batch, data: bytes) -> None:
    assert batch.spans == (batch.tables["spans"].num_rows if "spans" in batch.tables else 0)
    items = batch.spans + batch.scores + batch.contents + batch.duplicates + batch.rejected
    assert items > 0, "an item that became nothing"
    assert batch.rejected == sum(one.items for one in batch.rejections)
    assert batch.bytes == len(data)


def _bytes(rows: object) -> bytes:
    return rows.serialize().to_pybytes()  # type: ignore[attr-defined, no-any-return]


def _split(signal: Signal, request: object, original: bytes | None) -> None:
    items = sum(
        len(getattr(scope, signal.items))
        for group in getattr(request, signal.groups)
        for scope in getattr(group, signal.scopes)
    )
    found = split(signal, request, original, partitions=4, project_of=lambda _: "shop")
    assert found.items + found.refused.total() == items


def _record(topic: str, value: bytes, found: Iterable[tuple[str, bytes | None]]) -> Record:
    return Record(topic, "t", 0, 0, NOW_MS, None, value, tuple(found))
