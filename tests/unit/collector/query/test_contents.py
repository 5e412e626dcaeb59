"""Content that came as log records is found at its span, whichever came first."""

import json
from collections.abc import Sequence

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from spanwise_collector.query.search import Search
from spanwise_collector.query.span import get_span
from spanwise_collector.query.trace import get_trace
from spanwise_collector.query.traces import TraceFilter, list_traces
from spanwise_collector.query.window import DAY, Window
from spanwise_collector.store.database import Database
from tests.support.otlp import NOW_NS, SPAN, TRACE, any_value, logs, record, span, traces, transform

PROJECT = "shop"
CALL = record(traces(span(values={"gen_ai.operation.name": "chat"})), offset=1)


def said(event: str, body: object, at_ns: int) -> LogRecord:
    """A log record of the test span."""
    return LogRecord(event_name=event, trace_id=TRACE, span_id=SPAN, time_unix_nano=at_ns, body=any_value(body))


CONTENTS = record(
    logs(
        said("gen_ai.choice", {"finish_reason": "stop", "message": {"content": "In Graz."}}, NOW_NS - 10**9),
        said("gen_ai.system.message", {"content": "Be kind."}, NOW_NS - 2 * 10**9),
        said("gen_ai.user.message", {"content": "Where is my parcel?"}, NOW_NS - 2 * 10**9 + 1),
    ),
    offset=2,
)


def message(role: str, text: str, **more: str) -> dict[str, object]:
    """A message in the GenAI form."""
    return {"role": role, "parts": [{"type": "text", "content": text}], **more}


@pytest.fixture(
    params=[(CALL, CONTENTS), (CONTENTS, CALL), (CONTENTS, CALL, CONTENTS)], ids=["after", "before", "twice"]
)
def stored(request: pytest.FixtureRequest, database: Database) -> Database:
    """A store with one call and its content, in some order."""
    arrived: Sequence[object] = request.param
    for number, one in enumerate(arrived):
        for table, found in transform(one).tables.items():  # type: ignore[arg-type]
            database.insert(table, found, token=f"t:{number}:{table}")
    return database


def test_span_shows_it(stored: Database) -> None:
    """The span has its messages in the order in which they were said, once, also where a record came twice."""
    found = get_span(stored, PROJECT, TRACE, SPAN, now_us=0)

    assert found is not None
    assert (
        [message("system", "Be kind."), message("user", "Where is my parcel?")],
        [message("assistant", "In Graz.", finish_reason="stop")],
        "stored",
    ) == (json.loads(found.input), json.loads(found.output), found.bodies)


def test_lists_show_it(stored: Database) -> None:
    """Trace and list show previews of it, and a search finds it."""
    trace = get_trace(stored, PROJECT, TRACE)
    window = Window(NOW_NS // 1000 - DAY, NOW_NS // 1000)

    def page(text: str) -> list[tuple[str, str]]:
        wanted = TraceFilter(PROJECT, window, search=Search.parse(text))
        found = list_traces(stored, wanted, limit=5, cursor=None, now_us=NOW_NS // 1000)
        return [(one.input_preview, one.output_preview) for one in found.items]

    shown = ("Where is my parcel?", "In Graz.")
    assert trace is not None
    assert ([shown], [shown], []) == (
        [(one.input_preview, one.output_preview) for one in trace.spans],
        page("parcel"),
        page("letter"),
    )
