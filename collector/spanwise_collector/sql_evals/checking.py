"""Whether an expression can be used: by our lists, by the engine's analysis, and by a try on newest spans."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from spanwise_collector.query.window import Window
from spanwise_collector.sql_evals.columns import PREFIX
from spanwise_collector.sql_evals.compiler import Compiled, compile_expression
from spanwise_collector.sql_evals.lexer import ExpressionError
from spanwise_collector.sql_evals.scoring import Outcome, Scorer, count, kind_of, newest, probe_query, type_query
from spanwise_collector.store.database import Reader
from spanwise_collector.store.errors import QueryLimitError, StoreError, TransientStoreError

Field = Literal["expression", "filter"]
TRIED_SPANS: Final = 1_000
TRY_S: Final = 5.0
_ASK: Final = "SELECT "
_MESSAGE: Final = re.compile(
    r"DB::Exception: (.*?)(?:(?:: In scope |: while executing ).*?)?(?:\s*\(([A-Z_0-9]+)\))?\.?\s*$", re.DOTALL
)
_SYNTAX_ERROR: Final = 62
_POSITION: Final = re.compile(r"(?<=\bposition )\d+")
_COLUMN: Final = re.compile(rf"\b{PREFIX}(?=[a-z])")
_CONDITIONS: Final = re.compile(r"(?:Nullable\()?(?:Bool|UInt8|Nothing)\)?")


class RefusedError(ValueError):
    """The evaluator cannot be used.

    Attributes:
        field: which part of it.
        position: of the character where the reason is, from 1; 0 where it has no place.
    """

    def __init__(self, message: str, field: Field, position: int = 0) -> None:
        super().__init__(message)
        self.field = field
        self.position = position


@dataclass(frozen=True, slots=True)
class Checked:
    """An evaluator that can be used.

    Attributes:
        scorer: compiled.
        type: of the expression, as ClickHouse names it.
        tried: what became of the newest spans.
    """

    scorer: Scorer
    type: str
    tried: Outcome


def check(reader: Reader, window: Window, project: str, expression: str, condition: str = "") -> Checked:
    """An evaluator from its expressions.

    Args:
        reader: the store.
        window: of the spans on which it is tried; the newest thousand of them are.
        project: whose spans.
        expression: gives the score.
        condition: which spans it is for; empty for all.

    Raises:
        RefusedError: it cannot be used; the message says why, in the engine's words where the engine refuses.
        StoreError: the store does not answer.
    """
    compiled = _compiled(reader, expression, "expression")
    chosen = _compiled(reader, condition, "filter") if condition.strip() else None
    type_name = _type(reader, compiled, "expression")
    kind = kind_of(type_name, is_yes_or_no=compiled.is_yes_or_no)
    if kind is None:
        raise RefusedError(
            f"It gives {type_name}. A score is a number, yes or no, or a word: count, compare or choose.", "expression"
        )
    if chosen is not None:
        found = _type(reader, chosen, "filter")
        if _CONDITIONS.fullmatch(found) is None:
            raise RefusedError(f"It gives {found}; a filter says yes or no, like kind = 'llm'.", "filter")
    scorer = Scorer(compiled, chosen, kind)
    return Checked(scorer, type_name, _tried(reader, scorer, project, window))


def message_of(error: StoreError) -> str:
    """The engine's own message, without what surrounds it."""
    text = " ".join(str(error).split())
    found = _MESSAGE.search(text)
    told = f"{found.group(1)} ({found.group(2)})" if found and found.group(2) else found.group(1) if found else text
    return _COLUMN.sub("", told).replace("v_element", "the element")


def _compiled(reader: Reader, source: str, field: Field) -> Compiled:
    try:
        return compile_expression(source)
    except ExpressionError as error:
        told = _syntax_error(reader, source)
        if told is not None:
            raise RefusedError(told[0], field, told[1]) from None
        raise RefusedError(str(error), field, error.position) from None


def _syntax_error(reader: Reader, source: str) -> tuple[str, int] | None:
    """What the engine's parser says, and where; None where it can read the text. It reads it and does nothing more."""
    try:
        reader.query("SELECT formatQuerySingleLine({text:String})", {"text": _ASK + source}, timeout_s=TRY_S)
    except TransientStoreError:
        raise
    except StoreError as error:
        if error.code != _SYNTAX_ERROR:
            return None
        told = message_of(error)
        shifted = _POSITION.sub(lambda match: str(max(1, int(match.group()) - len(_ASK))), told)
        place = _POSITION.search(shifted)
        return shifted, int(place.group()) if place else 0
    return None


def _type(reader: Reader, compiled: Compiled, field: Field) -> str:
    """The type that the engine finds, and that it can be evaluated at all: where a project has no spans yet, too."""
    try:
        answer = reader.query(type_query(compiled), {"project": "", "from": 0, "to": 0}, timeout_s=TRY_S)
        reader.query(probe_query(compiled), timeout_s=TRY_S)
    except TransientStoreError:
        raise
    except StoreError as error:
        raise RefusedError(message_of(error), field) from None
    return str(answer.rows[0][1])


def _tried(reader: Reader, scorer: Scorer, project: str, window: Window) -> Outcome:
    try:
        part = newest(reader, project, window, TRIED_SPANS, timeout_s=TRY_S)
        return count(reader, scorer, part, timeout_s=TRY_S)
    except TransientStoreError:
        raise
    except QueryLimitError as error:
        raise RefusedError(
            f"It takes too long, or too much memory: {TRIED_SPANS:,} spans were not done in {TRY_S:g} s "
            f"({message_of(error)}).",
            "expression",
        ) from None
    except StoreError as error:
        raise RefusedError(f"It fails on spans of this project: {message_of(error)}", "expression") from None
