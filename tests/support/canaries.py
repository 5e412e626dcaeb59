"""Unique texts planted in every place of an OTLP message that can hold one, found by walking the message type."""

import json
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from spanwise_collector.store.database import Database
from tests.support.otlp import NOW_NS, SPAN, attributes

PATTERNS = '["email", {"planted": "secret-[0-9]+"}]'
KEYS = "*password*,authorization"

_PLACES = {
    "user.id": "{}",
    "session.id": "{}",
    "exception.stacktrace": "Traceback\n  {}",
    "gen_ai.agent.name": "{}",
    "gen_ai.tool.name": "{}",
    "gen_ai.prompt.name": "{}",
    "input.value": "ask {} now",
    "output.value": "{}",
    "error.type": "{}",
    "spanwise.metadata.note": "{}",
    "gen_ai.tool.call.result": "{}",
    "gen_ai.evaluation.explanation": "because {}",
    "gen_ai.evaluation.score.label": "{}",
    "spanwise.score.evaluator": "{}",
}


class Canaries:
    """Plants texts and remembers where.

    Attributes:
        places: each planted text and where it is.
        trace_id: of everything planted.
    """

    def __init__(self, prefix: str) -> None:
        self.places: dict[str, str] = {}
        self.trace_id = sha256(prefix.encode()).digest()[:16]
        self._prefix = prefix
        self._count = count()
        self._ids = {"trace_id": self.trace_id, "span_id": SPAN, "parent_span_id": b"parent00"}

    def new(self, place: str) -> str:
        """A text that an address pattern finds."""
        text = f"canary{self._prefix}{next(self._count):03}@leak.example"
        self.places[text] = place
        return text

    def hidden(self, place: str) -> str:
        """A text that only the name before it tells."""
        text = f"hush{self._prefix}{next(self._count):03}"
        self.places[text] = place
        return text

    def fill(self, message: Any, place: str) -> None:
        """Plant a text in every text of a message and of all messages it can hold; ids and times become true ones."""
        for field in message.DESCRIPTOR.fields:
            at = f"{place}.{field.name}"
            if field.message_type is not None:
                self._fill_messages(message, field, at)
            elif field.type == FieldDescriptor.TYPE_STRING:
                text = self.new(at)
                if field.is_repeated:
                    getattr(message, field.name).append(text)
                else:
                    setattr(message, field.name, text)
            elif field.type == FieldDescriptor.TYPE_BYTES:
                setattr(message, field.name, self._ids[field.name])
            elif field.name.endswith("_unix_nano"):
                setattr(message, field.name, NOW_NS - 10**9)

    def _fill_messages(self, message: Any, field: FieldDescriptor, at: str) -> None:
        assert field.message_type is not None
        if field.message_type.name == "KeyValue":
            for pair in self._pairs(at):
                getattr(message, field.name).append(pair)
        elif field.message_type.name == "AnyValue":
            getattr(message, field.name).string_value = self.new(at)
        elif field.is_repeated:
            self.fill(getattr(message, field.name).add(), at)
        else:
            getattr(message, field.name).SetInParent()
            self.fill(getattr(message, field.name), at)

    def _pairs(self, at: str) -> Iterator[Any]:
        """Attributes of every form."""
        values: dict[str, object] = {
            f"name.{self.new(at + '.key')}": 1,
            "text": self.new(at + ".text"),
            "bytes": self.new(at + ".bytes").encode(),
            "list": ["x", self.new(at + ".list"), [self.new(at + ".list.list")]],
            "map": {f"k.{self.new(at + '.map.key')}": self.new(at + ".map.value")},
            "app.password": self.hidden(at + ".app.password"),
            "deep": {"db_password": {"all": self.hidden(at + ".deep.db_password")}},
            "json": json.dumps({"a": [{"authorization": [self.hidden(at + ".json.authorization")]}]}),
            "json.json": json.dumps({"q": json.dumps({"password": self.hidden(at + ".json.json"), "n": 1})}),
            "json.escaped": f'{{"m": "caf\\u00e9\\n{self.new(at + ".json.escaped")}"}}',
            "json.cut": f'[{{"password": "{self.hidden(at + ".json.cut")}',
            "repr": f"{{'password': '{self.hidden(at + '.repr')}'}}",
            "named": f"secret-{self.number(at + '.named')}",
        }
        values |= {name: form.format(self.new(f"{at}.{name}")) for name, form in _PLACES.items()}
        for name in ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"):
            part = {"type": "text", "content": f"I am {self.new(f'{at}.{name}')}"}
            call = {
                "type": "tool_call",
                "name": "t",
                "arguments": json.dumps({"password": self.hidden(f"{at}.{name}")}),
            }
            values[name] = json.dumps([{"role": "user", "parts": [part, call]}])
        return iter(attributes(values))

    def number(self, place: str) -> str:
        """A number that only a pattern of the user's own finds, with what stands before it."""
        digits = f"{int.from_bytes(self._prefix.encode())}{next(self._count):06}"
        self.places[f"secret-{digits}"] = place
        return digits

    def traces(self) -> ExportTraceServiceRequest:
        """A request with a span that can be stored and one that is refused."""
        request = ExportTraceServiceRequest()
        self.fill(request, "traces")
        scoped = request.resource_spans[0].scope_spans[0]
        scoped.spans[0].attributes.extend(attributes({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7}))
        scoped.spans[0].status.code = Status.STATUS_CODE_ERROR
        scoped.spans[0].events[0].name = f"exception {scoped.spans[0].events[0].name}"
        refused = scoped.spans.add()
        refused.CopyFrom(scoped.spans[0])
        refused.span_id = b""
        request.resource_spans[0].resource.attributes.extend(attributes({"spanwise.project": "canaries"}))
        return request

    def logs(self) -> ExportLogsServiceRequest:
        """A request with a score and a log record that is refused."""
        request = ExportLogsServiceRequest()
        self.fill(request, "logs")
        scoped = request.resource_logs[0].scope_logs[0]
        refused = scoped.log_records.add()
        refused.CopyFrom(scoped.log_records[0])
        refused.event_name = f"other {self.new('logs.refused.event_name')}"
        scored = scoped.log_records[0]
        del self.places[scored.event_name]
        scored.event_name = "gen_ai.evaluation.result"
        scored.attributes.extend(attributes({"gen_ai.evaluation.name": f"good {self.new('score.name')}"}))
        request.resource_logs[0].resource.attributes.extend(attributes({"spanwise.project": "canaries"}))
        return request

    def found_in(self, *texts: str | bytes) -> set[str]:
        """Planted texts that are in any of the texts."""
        whole = b"\n".join(text if isinstance(text, bytes) else text.encode() for text in texts)
        return {text for text in self.places if text.encode() in whole}


def everything_stored(database: Database) -> str:
    """All that is in any column of any table, as text."""
    columns = database.query(
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() "
        "AND default_kind != 'EPHEMERAL' ORDER BY table, position"
    ).rows
    found = []
    for table, name, kind in columns:
        value = f"finalizeAggregation(`{name}`)" if str(kind).startswith("AggregateFunction") else f"`{name}`"
        rows = database.query(f"SELECT toString({value}) AS found FROM `{table}`").rows
        found += [f"{table}.{name}: {row[0]}" for row in rows]
    assert len(columns) > 50, "the tables were not found"
    return "\n".join(found)
