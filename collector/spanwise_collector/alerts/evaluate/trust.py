"""Alerts on a judge's score are held back while the judge agrees too little with people.

The rule goes on to be evaluated, so what is usual and what has fallen is known; verdicts that would fire say "hold"
instead, which begins nothing and ends nothing. Scores of code, people and users pass.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from spanwise_collector.alerts.evaluate.base import Carried, Data, Evaluator, Need, Outcome, Status
from spanwise_collector.alerts.state import Restart
from spanwise_collector.means.agreement import Agreement
from spanwise_collector.means.gate import HELD_BELOW, gate_of
from spanwise_collector.query.eval_judges import no_pairs, pairs_of
from spanwise_collector.query.eval_source import ScoreFilter
from spanwise_collector.query.window import DAY, Window
from spanwise_schemas.rules import Base, Rule, watched_signal
from spanwise_schemas.signals import SCORE_PREFIX

LOOKS_BACK: Final = 90 * DAY
"""Labels of that time say how far a judge is right."""
IN_USE: Final = 30 * DAY
"""A judge that has not scored for so long is no longer asked."""


def watches_scores(rule: Rule) -> bool:
    """Whether a rule looks at any score."""
    signal = watched_signal(rule)
    return any(name.startswith(SCORE_PREFIX) for name in (signal.name if signal else "", *getattr(rule, "signals", ())))


class TrustedEvaluator:
    """Another evaluator, held back where it rests on a judge below the limit; see `base.Evaluator`.

    Args:
        inner: the rule's own.
        rule: which.
    """

    def __init__(self, inner: Evaluator, rule: Rule) -> None:
        self._inner = inner
        self._rule: Base = rule
        signal = watched_signal(rule)
        self._signal = signal.name if signal else ""
        self.step, self.history, self.warmup = inner.step, inner.history, inner.warmup
        self.chunk, self.chunk_offset, self.policy = inner.chunk, inner.chunk_offset, inner.policy

    def needs(self, first: int, last: int, carried: Carried) -> Iterable[Need]:
        """See `base.Evaluator`."""
        return self._inner.needs(first, last, carried)

    def run(self, first: int, last: int, data: Data, carried: Carried, restarts: Sequence[Restart]) -> Outcome:
        """See `base.Evaluator`; a judge is trusted or not as of the last tick."""
        outcome = self._inner.run(first, last, data, carried, restarts)
        signals = outcome.signals or (self._signal,) * len(outcome.keys)
        why = {
            signal: held(data, self._rule.project, signal.removeprefix(SCORE_PREFIX), last)
            for signal in dict.fromkeys((*signals, self._signal))
            if signal.startswith(SCORE_PREFIX)
        }
        rows = np.array([bool(why.get(signal)) for signal in signals], dtype=bool)
        notes = [note for note in why.values() if note]
        if not notes:
            return outcome
        would_fire = rows[:, None] & (outcome.status == Status.BREACH) if rows.size else np.zeros_like(outcome.status)
        if would_fire.any():
            notes.append("It would have fired otherwise.")
        status = np.where(would_fire, Status.HOLD, outcome.status).astype(np.int8)
        return replace(outcome, status=status, note=" ".join([*notes, *filter(None, (outcome.note,))]))


def held(data: Data, project: str, score: str, at: int) -> str:
    """Why alerts on a score are held back; empty where they are not.

    Of each judge that gives the score the version that scored last counts. One of them below the limit holds the alert:
    the mean has its scores in it.

    Args:
        data: where to read.
        project: whose.
        score: its name.
        at: seconds since the epoch; what came later is not known.

    Raises:
        StoreError: see `base.Data`.
    """
    key = ("trusted judge", project, score, at)
    if key not in data.kept:
        data.kept[key] = _held(data, project, score, at)
    return str(data.kept[key])


def _held(data: Data, project: str, score: str, at: int) -> str:
    wanted = ScoreFilter(project, score, "llm")
    window = Window(at * 1_000_000 - LOOKS_BACK, at * 1_000_000)
    current = data.rows(
        "SELECT toString(evaluator) AS who, argMax(toString(evaluator_version), ts) FROM scores FINAL "
        "WHERE project_id = {project:String} AND name = {name:String} AND source = 'llm' "
        "AND ts >= fromUnixTimestamp64Micro({start:Int64}, 'UTC') "
        "AND ts < fromUnixTimestamp64Micro({end:Int64}, 'UTC') GROUP BY who ORDER BY who",
        wanted.parameters(Window(window.end - IN_USE, window.end)),
    )
    if not current:
        return ""
    pairs = pairs_of(data.rows, wanted, window, labels_to=window.end)
    for evaluator, version in current:
        agreement = pairs.get((score, evaluator, version), no_pairs()).agreement()
        if gate_of(agreement) == "held":
            return _words(evaluator, version, agreement)
    return ""


def _words(evaluator: str, version: str, agreement: Agreement) -> str:
    who = " ".join(filter(None, (evaluator or "the judge", version)))
    return (
        f"Judge not trusted yet ({who}): kappa {agreement.kappa:.2f} with {agreement.n} labels is below {HELD_BELOW}; "
        "alerts on it are held back."
    )
