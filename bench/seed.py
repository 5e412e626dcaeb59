"""Traces made inside the engine by INSERT … SELECT, for benchmarks: realistic in shape, repeatable.

A trace is an agent run of ten spans: root, retriever, embedding, three model calls, two tools, reranker, guardrail.
Users, sessions, models, names, durations and costs are skewed as real ones are; 2 % of the traces fail. Texts are
English words, few of them frequent, with an order number in each. Besides those there are single traces of a given
size, for the trace page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from spanwise_collector.store.database import Database

SPANS_PER_TRACE: Final = 10
# Each slice is one INSERT: small enough for the engine's memory, large enough to be quick.
SLICE: Final = 500_000

WORDS: Final = (
    "the of and to a in is that for it as was with be by on not he his but at are this have from or had an they "
    "which one you "
    "were all her she there would their we him been has when who will no more if out so said what up its about into "
    "than them can "
    "only other time new some could these two may first then do any like my now over such our man me even most made "
    "after also did "
    "many off before must well back through years much where your way down should because long each just state those "
    "people too "
    "mr how little good world make very year still see own work men day get here between both being under three "
    "never know same "
    "last another while us might great old order refund customer invoice shipment policy account password delivery "
    "warranty "
    "subscription payment address return exchange cancel upgrade support ticket product price discount catalogue "
    "warehouse carrier "
    "tracking damaged missing replacement receipt billing currency tax coupon balance limit session token model "
    "answer question "
    "context document passage summary translate language french german spanish english python query database index "
    "vector "
    "embedding similarity retrieval rerank agent tool function argument result error timeout retry network request "
    "response"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What the rows look like.

    Attributes:
        spans: about how many in all; a multiple of ten.
        end: time of the last span.
        days: how far back they go.
        body_words: words in each of input and output, where a span has them (about 5.5 bytes a word).
        big_traces: sizes of single large traces, in spans; they lie an hour before `end`.
        project: name of the project.
    """

    spans: int
    end: datetime
    days: float = 14.0
    body_words: int = 60
    big_traces: Sequence[int] = (5_000, 10_000)
    project: str = "default"


def seed(database: Database, shape: Shape) -> None:
    """Insert the rows; the roll-ups fill through their materialized views."""
    for statement, parameters in statements(shape):
        database.command(statement, parameters)


def statements(shape: Shape) -> Iterator[tuple[str, dict[str, object]]]:
    """Each INSERT with its parameters, in order."""
    start = shape.end - timedelta(days=shape.days)
    common: dict[str, object] = {
        "project": shape.project,
        "t0": _micros(start),
        "traces": shape.spans // SPANS_PER_TRACE,
        "length": int(shape.days * 86_400_000_000),
        "words": WORDS.split(),
        "body": shape.body_words,
    }
    for first in range(0, shape.spans, SLICE):
        rows = {"first": first, "count": min(SLICE, shape.spans - first)}
        yield _expand(_SPANS, _ORDINARY), {**common, **rows}
        yield _expand(_SPAN_IO, _ORDINARY), {**common, **rows}
    for number, size in enumerate(shape.big_traces):
        rows = {"first": 0, "count": size, "t0": _micros(shape.end - timedelta(hours=1)) + number, "big": number + 1}
        yield _expand(_SPANS, _BIG), {**common, **rows}
        yield _expand(_SPAN_IO, _BIG), {**common, **rows}


def big_trace_id(number: int) -> str:
    """Id of the large trace at that position of `Shape.big_traces`, as hex."""
    return f"{number + 1:032x}"


def _micros(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000 + time.microsecond


# trace: number of the trace; place: 0 is the root; h, g: hashes that decide everything of the span and of its trace.
_ORDINARY: Final = """
SELECT intDiv(number, 10) AS trace, number % 10 AS place, cityHash64(number) AS h, cityHash64(trace, 7) AS g,
  toFixedString(reinterpretAsString(bitOr(cityHash64(trace, 1), bitShiftLeft(toUInt64(1), 63)))
    || reinterpretAsString(bitOr(cityHash64(trace, 2), bitShiftLeft(toUInt64(1), 63))), 16) AS trace_id,
  toFixedString(reinterpretAsString(bitOr(h, 1)), 8) AS span_id,
  toFixedString(if(place = 0, '', reinterpretAsString(bitOr(cityHash64(number - place), 1))), 8) AS parent_span_id,
  {t0:Int64} + toInt64(trace / {traces:UInt64} * {length:Int64}) + place * 120000 + h % 50000 AS started,
  toUInt64(exp(9 + (h % 1000) / 180.) * if(place = 0, 12, 1)) AS took
FROM (SELECT number + {first:UInt64} AS number FROM numbers({count:UInt64}))
"""
_BIG: Final = """
SELECT {big:UInt64} AS trace, if(number = 0, 0, 1 + number % 9) AS place, cityHash64(number, {big:UInt64}, 99) AS h,
  cityHash64(trace, 8) AS g, toFixedString(unhex(leftPad(hex({big:UInt64}), 32, '0')), 16) AS trace_id,
  toFixedString(reinterpretAsString(bitOr(h, 1)), 8) AS span_id,
  toFixedString(if(number = 0, '', reinterpretAsString(bitOr(cityHash64(intDiv(number - 1, 6), {big:UInt64}, 99), 1))),
    8) AS parent_span_id,
  {t0:Int64} + number * 3000 AS started, toUInt64(exp(9 + (h % 1000) / 180.) * if(number = 0, 500, 1)) AS took
FROM (SELECT number FROM numbers({count:UInt64}))
"""
_TEXT: Final = """arrayStringConcat(arrayMap(i -> {words:Array(String)}[1 + toUInt32(
  pow((cityHash64(h, $SALT, i) % 100000) / 100000., 2.5) * length({words:Array(String)}))],
  range({body:UInt32})), ' ') || ' order-' || toString(h % 1000000)"""
_MACROS: Final = {
    "$CALL": "(place IN (3, 5, 9))",
    "$BODY": "(place IN (0, 3, 4, 5, 9))",
    "$INPUT": _TEXT.replace("$SALT", "1"),
    "$OUTPUT": _TEXT.replace("$SALT", "2"),
}
_SPANS: Final = """
INSERT INTO spans (project_id, trace_id, span_id, parent_span_id, start_time, duration_us, ttft_us, is_root, name, kind,
  status, error_type, env, service, release, convention, scope, sdk, user_id, session_id, tool_name, tags, provider,
  model_request, model_response, finish_reason, tok_input, tok_output, cost_input_n, cost_output_n, cost_total_n,
  cost_source, price_version, counts_usage, input_preview, output_preview, input_bytes, output_bytes,
  attrs, ingested_at, ktopic, kpart, koff)
SELECT {project:String}, trace_id, span_id, parent_span_id, fromUnixTimestamp64Micro(started, 'UTC'), took,
  if($CALL AND h % 3 = 0, toUInt32(took / 5), 0), place = 0,
  if(place = 0, 'workflow-' || toString(toUInt32(pow((g % 1000) / 1000., 2) * 40)),
    ['retrieve', 'embed', 'chat', 'search_orders', 'plan', 'rerank', 'guard', 'send_mail', 'answer'][place]),
  ['agent', 'retriever', 'embedding', 'llm', 'tool', 'llm', 'reranker', 'guardrail', 'tool', 'llm'][place + 1],
  if(place = 0 AND g % 50 = 0 OR h % 200 = 0, 'error', if(h % 2 = 0, 'ok', 'unset')),
  if(h % 200 = 0, 'TimeoutError', ''),
  ['prod', 'prod', 'prod', 'prod', 'staging', 'dev'][1 + g % 6], 'support',
  'v1.' || toString(intDiv(trace * 20, {traces:UInt64})),
  'gen_ai', 'openai', 'spanwise 0.1.0', 'user-' || toString(toUInt32(pow((g % 100003) / 100003., 2) * 20000)),
  'session-' || toString(intDiv(trace, 3)), if(place IN (4, 8), 'orders', ''),
  if(g % 4 = 0, ['vip', 'tag-' || toString(g % 30)], ['tag-' || toString(g % 30)]),
  if($CALL, 'openai', ''), if($CALL, 'model-' || toString(toUInt32(pow((h % 1000) / 1000., 2) * 30)), ''),
  if($CALL, 'model-' || toString(toUInt32(pow((h % 1000) / 1000., 2) * 30)), ''), if($CALL, 'stop', ''),
  if($CALL, 200 + h % 3000, 0), if($CALL, 20 + h % 700, 0), if($CALL, (200 + h % 3000) * 150, 0),
  if($CALL, (20 + h % 700) * 600, 0), if($CALL AND h % 40 != 0, (200 + h % 3000) * 150 + (20 + h % 700) * 600, 0),
  if($CALL AND h % 40 != 0, 'computed', 'none'), if($CALL, 'genai-prices 0.2.3', ''), $CALL,
  if($BODY, substring($INPUT, 1, 256), ''), if($BODY, substring($OUTPUT, 1, 256), ''),
  if($BODY, {body:UInt32} * 6, 0), if($BODY, {body:UInt32} * 6, 0),
  map('http.route', '/ask', 'thread.id', toString(h % 16)), fromUnixTimestamp64Milli(intDiv(started, 1000), 'UTC'),
  'otlp_spans/x', trace % 2, trace
FROM ($SOURCE) AS s
"""
_SPAN_IO: Final = """
INSERT INTO span_io (project_id, trace_id, span_id, start_time, input, output, ingested_at)
SELECT {project:String}, trace_id, span_id, fromUnixTimestamp64Micro(started, 'UTC'), $INPUT, $OUTPUT,
  fromUnixTimestamp64Milli(intDiv(started, 1000), 'UTC')
FROM ($SOURCE) AS s WHERE $BODY
"""


def _expand(template: str, source: str) -> str:
    for name, text in {**_MACROS, "$SOURCE": source}.items():
        template = template.replace(name, text)
    return template
