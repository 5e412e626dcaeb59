"""The queries that score spans: what the engine is asked, from compiled expressions and nothing else of the user's.

Who the project is and which spans are meant stand in the innermost query; an expression is evaluated outside of it, on
columns that this query gives. So it sees spans of its project or none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

from spanwise_collector.query.window import Window
from spanwise_collector.sql_evals.columns import COLUMNS, PREFIX
from spanwise_collector.sql_evals.compiler import Compiled, compile_expression
from spanwise_collector.store.database import Reader

Kind = Literal["numeric", "boolean", "categorical"]
EVALUATOR: Final = "sql:"
"""Begins the name of the evaluator in a score, so that a judge of the same name is another."""
MAX_LABEL: Final = 100
"""Characters of a label; longer ones are cut."""
MEMORY_BYTES: Final = 2 << 30
LIMITS: Final[Mapping[str, object]] = {
    "max_memory_usage": MEMORY_BYTES,
    # The engine looks at the clock between blocks: with small ones soon after the time is over.
    "max_block_size": 4096,
    # Never more of the machine than ingest leaves.
    "max_threads": 2,
    "use_query_cache": 0,
    # To compile a long expression to machine code takes longer than to evaluate it on a slice.
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
}
_WITHIN: Final = (
    "project_id = {project:String} AND start_time >= fromUnixTimestamp64Micro({from:Int64}, 'UTC') "
    "AND start_time < fromUnixTimestamp64Micro({to:Int64}, 'UTC') "
    # By the key's own function, so that the engine finds the place without reading.
    "AND toStartOfFiveMinutes(start_time) >= toStartOfFiveMinutes(fromUnixTimestamp64Micro({from:Int64}, 'UTC')) "
    "AND toStartOfFiveMinutes(start_time) <= toStartOfFiveMinutes(fromUnixTimestamp64Micro({to:Int64}, 'UTC'))"
)
_PROBE: Final = "multiIf(number = 0, '', number = 1, '[42, \"The answer is 42.\"]', '42')"
_EMPTY: Final = "materialize(CAST(defaultValueOfTypeName($${0}$$), $${0}$$))"
_NUMBER: Final = re.compile(r"U?Int\d+|Float\d+|BFloat16|Decimal.*")
_WORD: Final = re.compile(r"String|FixedString\(\d+\)|Enum\d+\(.*\)", re.DOTALL)
_WRAPPED: Final = re.compile(r"(?:Nullable|LowCardinality)\((.*)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scorer:
    """What gives a span its score.

    Attributes:
        expression: compiled.
        filter: which spans it is for; None for all.
        kind: what it gives.
    """

    expression: Compiled
    filter: Compiled | None
    kind: Kind

    @classmethod
    def of(cls, expression: str, condition: str, kind: Kind) -> "Scorer":
        """From what was stored.

        Raises:
            ExpressionError: this version of Spanwise does not admit it any more.
        """
        return cls(compile_expression(expression), compile_expression(condition) if condition else None, kind)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it reads, sorted."""
        return tuple(sorted({*self.expression.columns, *(self.filter.columns if self.filter else ())}))

    @property
    def bodies(self) -> frozenset[str]:
        """Which bodies it needs: `input`, `output`, `other`."""
        return self.expression.bodies | (self.filter.bodies if self.filter else frozenset())

    @property
    def where(self) -> str:
        """SQL of the filter."""
        return f"({self.filter.sql})" if self.filter else "1"


@dataclass(frozen=True, slots=True)
class Part:
    """Which spans are meant.

    Attributes:
        project: whose.
        start_us: spans that start here or later, microseconds since the epoch.
        end_us: and before.
        condition: more SQL on a span `s`, of ours.
        newest: only so many, the newest; 0 for all.
    """

    project: str
    start_us: int
    end_us: int
    condition: str = "1"
    newest: int = 0

    @property
    def parameters(self) -> dict[str, object]:
        """For the server."""
        return {"project": self.project, "from": self.start_us, "to": self.end_us}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of spans.

    Attributes:
        spans: that the filter admits.
        scored: of them.
        null: of them, for which the expression gives NULL, or a label without letters.
        not_finite: of them, for which it gives infinity or no number.
        without_text: whose texts the expression needs and which are not stored (any more).
        mean: of the scored ones' values; None where there is none.
    """

    spans: int = 0
    scored: int = 0
    null: int = 0
    not_finite: int = 0
    without_text: int = 0
    mean: float | None = None

    def plus(self, other: "Outcome") -> "Outcome":
        """Both together."""
        scored = self.scored + other.scored
        total = (self.mean or 0.0) * self.scored + (other.mean or 0.0) * other.scored
        known = self.mean is not None or other.mean is not None
        return Outcome(
            self.spans + other.spans,
            scored,
            self.null + other.null,
            self.not_finite + other.not_finite,
            self.without_text + other.without_text,
            total / scored if known and scored else None,
        )


def newest(reader: Reader, project: str, window: Window, spans: int, *, timeout_s: float) -> Part:
    """The newest spans of a window as a part, whose range is no longer than they need: so that few texts are read.

    Raises:
        StoreError: as the store says.
    """
    part = Part(project, window.start, window.end, newest=spans)
    (row,) = reader.query(
        "SELECT toUnixTimestamp64Micro(min(start_time)) FROM (SELECT start_time FROM spans AS s "
        f"WHERE {_WITHIN} ORDER BY start_time DESC LIMIT {spans})",
        part.parameters,
        timeout_s=timeout_s,
    ).rows
    return replace(part, start_us=max(window.start, int(row[0])))


def kind_of(type_name: str, *, is_yes_or_no: bool) -> Kind | None:
    """What an expression of a type of ClickHouse gives; None for a type that is no score."""
    bare = type_name
    while wrapped := _WRAPPED.fullmatch(bare):
        bare = wrapped.group(1)
    if bare == "Bool" or (is_yes_or_no and bare == "UInt8"):
        return "boolean"
    if _NUMBER.fullmatch(bare):
        return "numeric"
    return "categorical" if _WORD.fullmatch(bare) else None


def value_sql(value: str, kind: Kind) -> str:
    """SQL of the number that is stored, Nullable(Float64)."""
    match kind:
        case "numeric":
            return f"if(isFinite(ifNull(toFloat64({value}), nan)), toFloat64({value}), NULL)"
        case "boolean":
            return f"multiIf(isNull({value}), NULL, {value}, 1., 0.)"
        case "categorical":
            return "CAST(NULL, 'Nullable(Float64)')"


def label_sql(value: str, kind: Kind) -> str:
    """SQL of the word that is stored, "" for none."""
    match kind:
        case "numeric":
            return "''"
        case "boolean":
            return f"multiIf(isNull({value}), '', {value}, 'true', 'false')"
        case "categorical":
            return f"leftUTF8(ifNull(toString({value}), ''), {MAX_LABEL})"


def no_text_sql(bodies: frozenset[str]) -> str:
    """SQL of whether a span lacks texts that are needed."""
    return f"({' OR '.join(f'no_{body}' for body in sorted(bodies)) or '0'})"


def spans_sql(columns: tuple[str, ...], part: Part) -> str:
    """A query of the spans that are meant, with the columns an expression reads, and which of them have no text.

    It has the server-side parameters `project`, `from` and `to`.
    """
    bodies = frozenset(COLUMNS[name].body for name in columns) - {""}
    latest = f" ORDER BY start_time DESC, trace_id, span_id LIMIT {part.newest}" if part.newest else ""
    source = f"(SELECT * FROM spans AS s WHERE {_WITHIN} AND ({part.condition}){latest}) AS s"
    missing: list[str] = []
    if bodies:
        stored = {"input": "input", "output": "output", "other": "system_instructions, tool_defs"}
        wanted = ", ".join(stored[body] for body in sorted(bodies))
        source += (
            f" LEFT JOIN (SELECT trace_id, span_id, ingested_at, {wanted} FROM span_io WHERE {_WITHIN}) AS b "
            "ON b.trace_id = s.trace_id AND b.span_id = s.span_id AND b.ingested_at = s.ingested_at"
        )
        # Content that came as log records is not here, and is not to be taken for an empty text.
        missing.append(
            "(s.trace_id, s.span_id) GLOBAL IN (SELECT trace_id, span_id FROM span_content WHERE "
            "project_id = {project:String} AND time >= fromUnixTimestamp64Micro({from:Int64} - 3600000000, 'UTC') "
            "AND time < fromUnixTimestamp64Micro({to:Int64} + 3600000000, 'UTC')) AS is_logged"
        )
        gone = {
            "input": "s.input_bytes > 0 AND b.input = ''",
            "output": "s.output_bytes > 0 AND b.output = ''",
            "other": "s.input_bytes + s.output_bytes > 0 AND b.span_id != s.span_id",
        }
        missing += [f"(is_logged OR {gone[body]}) AS no_{body}" for body in sorted(bodies)]
    read = [f"{COLUMNS[name].sql} AS {PREFIX}{name}" for name in columns]
    own = [
        "s.trace_id AS trace_id",
        "s.span_id AS span_id",
        "s.start_time AS began",
        "addMicroseconds(s.start_time, s.duration_us) AS ended",
        # As scores of Kafka have it: the record's time, then room for its offset.
        "bitShiftLeft(toUInt64(toUnixTimestamp64Milli(s.ingested_at)), 22) AS row_version",
        *missing,
        f"{no_text_sql(bodies)} AS has_no_text",
    ]
    return f"SELECT {', '.join([*own, *read])} FROM {source}"


def type_query(compiled: Compiled) -> str:
    """A query that tells the type of an expression, and reads nothing."""
    part = Part("", 0, 0)
    return f"DESCRIBE (SELECT ({compiled.sql}) AS value FROM ({spans_sql(compiled.columns, part)}))"


def probe_query(compiled: Compiled) -> str:
    """A query that evaluates an expression on rows of no project: one of empty values, one without any, one of numbers.

    What is read of a text as a number is NULL on the others, and where all is NULL the engine does not ask for types.
    """
    rows = [f"{_probe(COLUMNS[name].type)} AS {PREFIX}{name}" for name in compiled.columns]
    return f"SELECT ({compiled.sql}) AS value FROM (SELECT {', '.join([*rows, 'number'])} FROM numbers(3))"


def _probe(type_name: str) -> str:
    if type_name == "String":
        return _PROBE
    nullable = re.fullmatch(r"Nullable\((.*)\)", type_name)
    # On a row of NULLs alone the engine does not ask whether the types fit.
    return f"if(number = 0, NULL, {_EMPTY.format(nullable[1])})" if nullable else _EMPTY.format(type_name)


def counting_query(scorer: Scorer, part: Part) -> str:
    """A query that gives the fields of an `Outcome`, in their order."""
    value = value_sql("value", scorer.kind)
    label = label_sql("value", scorer.kind)
    return (
        "SELECT count(), countIf(is_scored), countIf(NOT is_scored AND NOT has_no_text AND is_null), "
        "countIf(NOT is_scored AND NOT has_no_text AND NOT is_null), countIf(has_no_text), "
        "avgIf(number, is_scored) FROM (SELECT has_no_text, "
        f"{value} AS number, {label} AS word, isNull(value) OR {int(scorer.kind == 'categorical')} AS is_null, "
        "NOT has_no_text AND (isNotNull(number) OR word != '') AS is_scored "
        f"FROM (SELECT has_no_text, ({scorer.expression.sql}) AS value FROM ({spans_sql(scorer.columns, part)}) "
        f"WHERE {scorer.where}))"
    )


def count(reader: Reader, scorer: Scorer, part: Part, *, timeout_s: float) -> Outcome:
    """What would become of spans; nothing is written.

    Raises:
        StoreError: as the store says: a limit, or the expression fails on a span.
    """
    (row,) = reader.query(
        counting_query(scorer, part), part.parameters, settings=dict(LIMITS), timeout_s=timeout_s
    ).rows
    spans, scored, null, not_finite, without_text, mean = row
    known = None if mean is None or mean != mean else float(mean)
    return Outcome(int(spans), int(scored), int(null), int(not_finite), int(without_text), known)


def evaluated_query(scorer: Scorer, part: Part) -> str:
    """A query of what each span gets, a row per span that the filter admits.

    Besides the parameters of the part it has `name`, `evaluator` and `version`. Columns: those of the table `scores`
    that differ from span to span, `has_no_text`, and `is_null`: whether the expression gives nothing at all.
    """
    value = value_sql("given", scorer.kind)
    label = label_sql("given", scorer.kind)
    score_id = (
        "toFixedString(substring(SHA256(concat({project:String}, '\\0', lower(hex(trace_id)), '\\0', "
        "lower(hex(span_id)), '\\0', '', '\\0', {name:String}, '\\0', {evaluator:String}, '\\0', {version:String})), "
        "1, 16), 16)"
    )
    return (
        f"SELECT {score_id} AS score_id, trace_id, span_id, {value} AS value, {label} AS label, ended AS ts, "
        "row_version AS version, toUInt8(has_no_text) AS has_no_text, "
        f"toUInt8(isNull(given) OR {int(scorer.kind == 'categorical')}) AS is_null "
        f"FROM (SELECT trace_id, span_id, ended, row_version, has_no_text, ({scorer.expression.sql}) AS given "
        f"FROM ({spans_sql(scorer.columns, part)}) WHERE {scorer.where})"
    )


def score_id(project: str, trace_id: bytes, span_id: bytes, name: str, version: int) -> bytes:
    """Id of the score of a span, as docs/decisions/0012-evals.md says; the query above computes the same."""
    parts = (project, trace_id.hex(), span_id.hex(), "", name, EVALUATOR + name, str(version))
    return sha256("\0".join(parts).encode()).digest()[:16]
