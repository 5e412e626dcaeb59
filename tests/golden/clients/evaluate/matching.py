"""Which stored span belongs to which answer, and to which case."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from tests.golden.clients.evaluate.payload import Payload, SpanKey
from tests.golden.clients.evaluate.rows import Span

CALL_KINDS: Final = (1, 2)
"""`llm` and `embedding` in the column `kind`."""
_MARKER: Final = re.compile(r"\[case:([a-z0-9]+(?: [\w./-]+)*)\]")


@dataclass(slots=True)
class Matched:
    """An answer and the spans that speak of it.

    Attributes:
        truth: its entry in the truth log.
        spans: model calls that speak of this answer, best first; the first is the one whose fields are judged.
    """

    truth: dict[str, Any]
    spans: list[Span] = field(default_factory=list)


def number_forms(tokens: dict[str, int]) -> set[int]:
    """Counts of an answer that appear nowhere else."""
    found = {*tokens.values(), tokens["input"] - tokens["cache_read"] - tokens["cache_write"]}
    found |= {tokens["output"] - tokens["reasoning"], tokens["input"] + tokens["output"]}
    return found - {0}


def mark_cases(spans: list[Span], payload: Payload, truth: list[dict[str, Any]]) -> None:
    """Note each span's cases: by its own words, else by those of its trace."""
    known = {entry["case"] for entry in truth}
    roots = {case.rsplit("-", 1)[0] if case[-1:].isdigit() else case for case in known}
    by_trace: dict[bytes, set[str]] = {}
    for span in spans:
        texts = payload.spans[span.key]
        named = set(_MARKER.findall(payload.text[span.key])) & known
        if not named and texts.name in known | roots:
            named = {case for case in known if case == texts.name or re.fullmatch(re.escape(texts.name) + r"-\d", case)}
        span.cases = named
        by_trace.setdefault(span.key[0], set()).update(named)
    for span in spans:
        if not span.cases:
            span.cases = by_trace[span.key[0]]


def match(spans: list[Span], payload: Payload, truth: list[dict[str, Any]]) -> list[Matched]:
    """The spans of each answer."""
    mark_cases(spans, payload, truth)
    calls = [span for span in spans if span.row["kind"] in CALL_KINDS]
    found = []
    taken: set[tuple[bytes, bytes]] = set()
    for entry in truth:
        sure = [span for span in calls if _speaks_of(span, payload, entry)]
        sure.sort(key=lambda span: _rank(span, entry), reverse=True)
        taken.update(span.key for span in sure)
        found.append(Matched(entry, sure))
    for one in found:
        if not one.spans:
            # Nothing of the answer is said (a refusal, an answer that broke off): the case's span that is left over,
            # the one that bears the bill first, then the outermost.
            free = [span for span in calls if span.key not in taken and one.truth["case"] in span.cases]
            free.sort(key=lambda span: (not span.row["counts_usage"], len(span.cases), span.row["start_time"]))
            one.spans = free
    _share_out(found)
    return found


def _share_out(found: list[Matched]) -> None:
    """Where nothing tells which of a case's left-over spans belongs to which answer: one each, in order of time."""
    by_spans: dict[tuple[SpanKey, ...], list[Matched]] = {}
    for one in found:
        by_spans.setdefault(tuple(span.key for span in one.spans), []).append(one)
    for keys, alike in by_spans.items():
        if len(keys) == len(alike) > 1:
            for one, span in zip(alike, [*alike[0].spans], strict=True):
                one.spans = [span]


def _speaks_of(span: Span, payload: Payload, entry: dict[str, Any]) -> bool:
    answer = entry["answer"]
    if span.row["response_id"]:
        return bool(span.row["response_id"] == answer["id"])
    if number_forms(answer["tokens"]) & payload.numbers[span.key]:
        return True
    output = span.bodies["output"]
    return any(one and one in output for one in (answer["text"], *(call["id"] for call in answer["tool_calls"])))


def _rank(span: Span, entry: dict[str, Any]) -> tuple[bool, bool, bool, int]:
    is_billed = bool(span.row["counts_usage"])
    says_it = bool(entry["answer"]["text"]) and entry["answer"]["text"] in span.bodies["output"]
    return is_billed, entry["case"] in span.cases, says_it, -span.row["start_time"]
