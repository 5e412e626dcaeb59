"""A judge: a sample in, scores out, or an error and no score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from spanwise_collector.evals.cache import Cache
from spanwise_collector.evals.calls import BudgetSpentError, Call, JudgeError, Means, ask
from spanwise_collector.evals.config import JudgeEntry
from spanwise_collector.evals.prompt import (
    FIRST,
    ONLY,
    SECOND,
    TIE,
    Scale,
    content_key,
    key_of,
    length_of,
    messages,
    response_schema,
    version_of,
)
from spanwise_collector.evals.rubric import Rubric
from spanwise_collector.evals.verdicts import AnswerError, CriterionVerdict, read_verdicts, value_of
from spanwise_evaluators.model import Sample, Verdict

WIN, LOSS = "win", "loss"
_SWAPPED: Final = {FIRST: SECOND, SECOND: FIRST, TIE: TIE}
_PAIR: Final = {FIRST: (1.0, WIN), SECOND: (0.0, LOSS), TIE: (0.5, TIE)}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge says of a sample.

    Attributes:
        verdicts: by name of the score.
        calls: that were made for it; none where the verdict was known.
        disagreed: names of scores of a pair where the answer that was shown first, or second, won both times.
    """

    verdicts: dict[str, Verdict]
    calls: tuple[Call, ...] = ()
    disagreed: tuple[str, ...] = ()


class Judge:
    """A model with a rubric. Thread-safe.

    Attributes:
        entry: how it is configured.
        version: changes with model, rubric, scale, and our words to it.

    Args:
        entry: how it is configured.
        rubric: what it is asked.
        means: endpoint, money, time.
        cache: of verdicts.
    """

    def __init__(self, entry: JudgeEntry, rubric: Rubric, means: Means, cache: Cache) -> None:
        self.entry = entry
        self._rubric = rubric
        self._means = means
        self._cache = cache
        self._scale = Scale("pairwise" if entry.mode == "pairwise" else entry.scale, entry.grades)
        self.version = version_of(entry.model, rubric, self._scale)

    @property
    def score_names(self) -> tuple[str, ...]:
        """Of the scores that it gives."""
        return tuple(self._name(key_of(one)) for one in self._rubric.criteria)

    def judge(self, sample: Sample, *, fresh: bool = False) -> Judged | None:
        """Verdicts on a sample; None where there is nothing to judge.

        Args:
            sample: what is judged.
            fresh: ask the model even where the verdict is known, and keep nothing.

        Raises:
            JudgeError: there is no verdict.
            BudgetSpentError: the day's limit does not allow the call.
            StoreError: the ledger of the budget does not answer.
        """
        if self.entry.mode == "pairwise":
            other = sample.attributes.get(self.entry.against)
            return self._pair(sample, other) if isinstance(other, str) and other and sample.output else None
        if not sample.output and not sample.tool_calls:
            return None
        verdicts, calls = self._verdicts(sample, None, fresh=fresh)
        return Judged({self._name(one.key): self._verdict(one) for one in verdicts}, tuple(calls))

    def _pair(self, sample: Sample, other: str) -> Judged:
        """Both orders: who wins only where it is shown first has not won."""
        there, first_calls = self._verdicts(sample, other, fresh=False)
        swapped = replace(sample, output=other, tool_calls=())
        try:
            back, second_calls = self._verdicts(swapped, sample.output, fresh=False)
        except JudgeError as error:
            raise JudgeError(error.kind, str(error), [*first_calls, *error.calls]) from None
        except BudgetSpentError as error:
            raise BudgetSpentError([*first_calls, *error.calls]) from None
        found: dict[str, Verdict] = {}
        disagreed = []
        for one, again in zip(there, back, strict=True):
            name, mirrored = self._name(one.key), _SWAPPED[str(again.verdict)]
            verdict = str(one.verdict)
            if verdict != mirrored:
                disagreed.append(name)
                verdict = TIE
                reason = f"The two orders disagree, which counts as a tie. {one.reason} / {again.reason}"
            else:
                reason = one.reason
            value, label = _PAIR[verdict]
            found[name] = Verdict(value, label, reason)
        return Judged(found, (*first_calls, *second_calls), tuple(disagreed))

    def _verdicts(
        self, sample: Sample, other: str | None, *, fresh: bool
    ) -> tuple[tuple[CriterionVerdict, ...], list[Call]]:
        entry = self.entry
        length = length_of(sample, other)
        if length > entry.max_input_chars:
            raise JudgeError(
                "too_long", f"{length:,} characters are more than max_input_chars = {entry.max_input_chars:,}"
            )
        key = content_key(entry.project, entry.endpoint, self.version, sample, other)
        known = None if fresh else self._cache.get(key)
        if known is not None:
            return known, []
        schema = response_schema(self._rubric, self._scale)
        text, calls = ask(entry, self._means, messages(self._rubric, self._scale, sample, other), schema)
        try:
            verdicts = read_verdicts(text, self._rubric, self._scale)
        except AnswerError as error:
            raise JudgeError(error.kind, str(error), _marked(calls, error)) from None
        if not fresh:
            self._cache.put(key, entry.project, entry.name, verdicts, entry.cache_days)
        return verdicts, calls

    def _verdict(self, one: CriterionVerdict) -> Verdict:
        value, label = value_of(one.verdict, self._scale)
        return Verdict(value, label, one.reason)

    def _name(self, key: str) -> str:
        return self.entry.name if key == ONLY else f"{self.entry.name}.{key}"


def _marked(calls: Sequence[Call], error: AnswerError) -> list[Call]:
    """The calls, of which the last one brought what cannot be used."""
    return [*calls[:-1], replace(calls[-1], error=error.kind, detail=str(error))]
