"""Every field of every answer of a recording: right, absent as declared, or wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tests.golden.clients.evaluate import absent
from tests.golden.clients.evaluate.absent import Absence
from tests.golden.clients.evaluate.fields import CASE_FIELDS, FIELDS, Field
from tests.golden.clients.evaluate.matching import Matched, match, number_forms
from tests.golden.clients.evaluate.payload import Payload
from tests.golden.clients.evaluate.rows import Span, spans_of
from tests.golden.clients.programs.shared.material import SESSION, USER
from tests.golden.clients.recording import Recording, load

RIGHT: Final = "right"
ABSENT: Final = "absent"
OTHER: Final = "other"
WRONG: Final = "wrong"
UNDECLARED: Final = "not in the payload, and not declared absent"
NAMES: Final = (*CASE_FIELDS[:2], *(field.name for field in FIELDS), *CASE_FIELDS[2:])
"""All fields, in the order of the table."""
_SHOWN: Final = 400
_TOKENS: Final = ("input", "output", "cache_read", "cache_write", "reasoning")


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one field of one answer, or of a case.

    Attributes:
        field: its name.
        case: name of the case.
        number: of the answer in the truth log; 0 for the case as a whole.
        outcome: `right`, `absent` (declared, and indeed not in the payload), `other` (declared: the client sends
            another value than the true one) or `wrong`.
        expected: what it should be, as shown; "" of a right one.
        found: what it is, as shown; "" for nothing.
        why: of a wrong one.
    """

    field: str
    case: str
    number: int
    outcome: str
    expected: str = ""
    found: str = ""
    why: str = ""


def shown(value: Any) -> str:
    """A value for people: "" for nothing, and of a long one the beginning, the end and the length."""
    text = repr(value) if value else ""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]} ({len(text)} characters)"


class Judge:
    """Judges one recording.

    Args:
        recording: to judge.
        absences: declared for its client.
    """

    def __init__(self, recording: Recording, absences: list[Absence]) -> None:
        self.payload = Payload(recording)
        self.spans, self.refused = spans_of(recording)
        self.truth = recording.truth
        self.matched = match(self.spans, self.payload, self.truth)
        self._absences = absences
        self._used: set[int] = set()

    def verdicts(self) -> Iterator[Verdict]:
        """All verdicts; at the end one for each absence that was declared in vain."""
        why = "the client sent what is no good OTLP, or what Spanwise does not know" if self.refused else ""
        yield Verdict("stored", "", 0, WRONG if self.refused else RIGHT, "", shown(self.refused), why)
        for one in self.matched:
            yield from self._answer(one)
        for case in dict.fromkeys(entry["case"] for entry in self.truth):
            yield from self._case(case)
        billed = [span for span in self.spans if span.row["counts_usage"] and span.row["tok_input"]]
        if strangers := [span for span in billed if not self._cases_of(span)]:
            said = [f"{span.row['name']}: {span.row['tok_input']}" for span in strangers]
            yield Verdict(
                "counted_once", "", 0, WRONG, "", shown(said), "spans that bear a bill, but belong to no answer"
            )
        for absence in self._absences:
            if absence.number not in self._used:
                why = f"absent.toml, entry {absence.number}: nothing is absent there, take it out"
                yield Verdict(absence.field, ", ".join(absence.cases), 0, WRONG, why=why)

    def _answer(self, one: Matched) -> Iterator[Verdict]:
        truth = one.truth
        if not one.spans:
            # A try that the client's package made again by itself is no call of its own.
            if truth["behaviour"] == "retry" and truth["ended"] == "refused":
                return
            is_sent = not self.payload.all_numbers.isdisjoint(number_forms(truth["answer"]["tokens"])) or any(
                truth["answer"]["id"] and truth["answer"]["id"] in text for text in self.payload.text.values()
            )
            yield self._judge("span", truth, "a span", None, is_right=False, is_sent=is_sent)
            return
        if truth["behaviour"] == "retry" and truth["ended"] == "refused":
            return
        yield Verdict("span", truth["case"], truth["number"], RIGHT)
        for field in FIELDS:
            expected = field.expected(truth)
            if expected is not None:
                yield self._field(field, expected, one)

    def _field(self, field: Field, expected: Any, one: Matched) -> Verdict:
        found = next((value for value in map(field.found, one.spans) if value), None)
        is_right = found is not None and field.same(expected, found)
        is_sent = not is_right and field.is_sent(one.truth, one.spans, self.payload)
        return self._judge(field.name, one.truth, expected, found, is_right=is_right, is_sent=is_sent)

    def _judge(
        self, name: str, truth: dict[str, Any], expected: Any, found: Any, *, is_right: bool, is_sent: bool
    ) -> Verdict:
        case, number = truth["case"], truth["number"]
        if is_right:
            return Verdict(name, case, number, RIGHT)
        has_found = bool(found)
        expected, found = shown(expected), shown(found)
        declared = [one for one in self._absences if one.covers(name, case)]
        for one in declared:
            if one.sends_other != has_found:
                continue
            self._used.add(one.number)
            if is_sent:
                why = f"absent.toml, entry {one.number} declares it absent, but the payload has it"
                return Verdict(name, case, number, WRONG, expected, found, why)
            return Verdict(name, case, number, OTHER if one.sends_other else ABSENT, expected, found)
        why = "in the payload, but read otherwise" if is_sent else UNDECLARED
        return Verdict(name, case, number, WRONG, expected, found, why)

    def _case(self, case: str) -> Iterator[Verdict]:
        entries = [one for one in self.matched if one.truth["case"] == case]
        truth = entries[0].truth | {"number": 0}
        yield self._counted_once(case, entries, truth)
        if case.endswith("session"):
            traces = {span.key[0] for one in entries for span in one.spans}
            rows = [span for span in self.spans if span.key[0] in traces]
            for name, column, value in (("session", "session_id", SESSION), ("user", "user_id", USER)):
                said = {span.row[column] for span in rows} - {""}
                is_sent = any(value in self.payload.text[span.key] for span in rows)
                found = ", ".join(sorted(said))
                yield self._judge(name, truth, value, found, is_right=said == {value}, is_sent=is_sent)

    def _counted_once(self, case: str, entries: list[Matched], truth: dict[str, Any]) -> Verdict:
        """Whether each answer is billed by exactly one span, with the tokens that its span says."""
        billed = [span for span in self.spans if span.row["counts_usage"] and case in self._cases_of(span)]
        # Of an answer that broke off, what the client counted is all right as long as it is counted once.
        expected = {
            (one.spans[0].key, *(one.spans[0].row["tok_" + sort] for sort in _TOKENS))
            for one in entries
            if one.spans and (one.truth["ended"] == "complete" or one.spans[0].row["counts_usage"])
        }
        found = {(span.key, *(span.row["tok_" + sort] for sort in _TOKENS)) for span in billed}
        return self._judge(
            "counted_once",
            truth,
            sorted(one[1:] for one in expected),
            sorted(one[1:] for one in found),
            is_right=expected == found,
            is_sent=True,
        )

    def _cases_of(self, span: Span) -> set[str]:
        owners = {one.truth["case"] for one in self.matched for other in one.spans if other.key == span.key}
        return owners or span.cases


@lru_cache(maxsize=64)
def judged(name: str) -> tuple[Verdict, ...]:
    """All verdicts on a recording."""
    recording = load(name)
    return tuple(Judge(recording, absent.load(recording, fields=frozenset(NAMES))).verdicts())
