"""Eval scores in words: means with their intervals, who gives a score, how far a judge is right. Pure."""

from collections.abc import Sequence
from typing import Final

from spanwise_dashboard.components.cards import Card
from spanwise_dashboard.components.facts import Fact
from spanwise_dashboard.components.table import Badge
from spanwise_dashboard.components.trend import ScoreUnit
from spanwise_dashboard.format import UNKNOWN, count, percent, plural
from spanwise_schemas.api_evals import (
    Gate,
    JudgeHealth,
    Judges,
    MeanEstimate,
    RaterAgreement,
    ScoreEvaluator,
    ScoreName,
    ScoreShape,
    ScoreSource,
    SplitBy,
)

SPLIT_LABELS: Final[dict[SplitBy, str]] = {
    "none": "All together",
    "release": "Release",
    "prompt": "Prompt",
    "model": "Model",
    "environment": "Environment",
    "version": "Evaluator version",
}
GIVERS: Final[dict[ScoreSource, str]] = {"code": "a check", "llm": "a judge", "human": "reviewers", "user": "users"}
_GATES: Final[dict[Gate, Badge]] = {
    "trusted": Badge("agrees with people", "good"),
    "weak": Badge("agrees moderately", "warn", "Kappa between 0.4 and 0.6: alerts on it may be wrong."),
    "held": Badge("not trusted", "bad", "Kappa below 0.4: its alerts are held back."),
    "unknown": Badge("not known yet", "", "Too few answers have been labelled by people."),
}
_TONES: Final = {"trusted": "good", "weak": "warn", "held": "bad", "unknown": ""}


def unit_of(shape: ScoreShape) -> ScoreUnit:
    """How values read: yes and no, and shares of a label, as percent."""
    return "score" if shape == "number" else "ratio"


def score_text(value: float | None, shape: ScoreShape) -> str:
    """One mean."""
    if value is None:
        return UNKNOWN
    if shape == "number":
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.4g}"
    return percent(round(value, 6))


def interval_text(found: MeanEstimate | None, shape: ScoreShape) -> str:
    """Where the true mean lies: `78.4% to 83.9%`; empty where nothing can be said."""
    if found is None or found.low is None or found.high is None:
        return ""
    return f"{score_text(found.low, shape)} to {score_text(found.high, shape)}"


def estimate_text(found: MeanEstimate | None, shape: ScoreShape) -> str:
    """A mean with its interval: `81.2% (78.4% to 83.9%)`."""
    if found is None or found.mean is None:
        return UNKNOWN
    sure = interval_text(found, shape)
    return (
        f"{score_text(found.mean, shape)} ({sure})" if sure else f"{score_text(found.mean, shape)} (how sure: unknown)"
    )


def estimate_help(found: MeanEstimate) -> str:
    """What a mean rests on."""
    parts = [f"Of {plural(found.n, 'score')}."]
    if found.n and found.effective < 0.95 * found.n:
        parts.append(
            f"Answers were chosen with unequal chances; {count(found.effective)} chosen alike would say as much."
        )
    if found.mean is not None and found.low is None:
        parts.append("They are too few, or all the same, so nothing can be said of how sure the mean is.")
    if found.dropped:
        parts.append(f"{plural(found.dropped, 'score')} without a known chance or value left out.")
    return " ".join(parts)


def evenness(found: MeanEstimate) -> str:
    """Under the number of scores: how much they say where chances differed; empty where they were alike."""
    if not found.n or found.effective >= 0.95 * found.n:
        return ""
    return f"as good as {count(found.effective)} alike"


def value_text(value: float | None, shape: ScoreShape) -> str:
    """One answer's score."""
    if shape == "yes_no" and value in (0, 1):
        return "yes" if value else "no"
    return UNKNOWN if value is None else f"{value:.4g}"


def giver_key(one: ScoreEvaluator) -> str:
    """Who gives a score, as the address has it."""
    return f"{one.source}:{one.evaluator}"


def giver_text(one: ScoreEvaluator) -> str:
    """Who gives a score, for people."""
    return f"{one.evaluator} ({GIVERS[one.source]})" if one.evaluator else GIVERS[one.source]


def chosen(names: Sequence[ScoreName], score: str, giver: str) -> tuple[ScoreName, ScoreEvaluator]:
    """The score and who gives it that are shown: those asked for where they are there, else the most frequent.

    Reviewers check others, so without a choice the most frequent who is none is shown.

    Args:
        names: at least one.
        score: asked for; empty for none.
        giver: asked for; empty for none.
    """
    name = next((one for one in names if one.name == score), names[0])
    by_key = {giver_key(one): one for one in name.evaluators}
    others = [one for one in name.evaluators if one.source != "human"] or name.evaluators
    return name, by_key.get(giver, others[0])


def judge_of(judges: Judges, name: str, evaluator: str) -> JudgeHealth | None:
    """The version of a judge that is in use."""
    return next(
        (one for one in judges.items if one.is_current and one.name == name and one.evaluator == evaluator), None
    )


def kappa_text(found: RaterAgreement | None) -> str:
    """Kappa with its interval: `0.71 (0.55 to 0.82)`."""
    if found is None or found.kappa is None:
        return UNKNOWN
    sure = f" ({found.low:.2f} to {found.high:.2f})" if found.low is not None and found.high is not None else ""
    return f"{found.kappa:.2f}{sure}"


def bias_line(one: JudgeHealth) -> str:
    """What the judge gets wrong on the whole: the corrected mean beside the raw one; empty where nothing is known."""
    raw, fixed = one.raw, one.corrected
    if raw.mean is None or fixed is None or fixed.mean is None:
        return ""
    said = f"It says {score_text(raw.mean, one.shape)}; corrected by people it is {estimate_text(fixed, one.shape)}."
    if fixed.low is None or fixed.high is None:
        return said
    if fixed.low <= raw.mean <= fixed.high:
        return f"{said} That it is too kind or too strict cannot be told from these labels."
    return f"{said} The judge is too {'kind' if raw.mean > fixed.mean else 'strict'}."


def gain_text(one: JudgeHealth) -> str:
    """What the judge adds to the labels."""
    if one.corrected is None:
        return UNKNOWN
    if one.gain < 1.05:
        return "as good as none"
    return f"as {count(round(one.gain * one.agreement.n))} labels alone"


def judge_card(one: JudgeHealth, reviewers: RaterAgreement | None) -> Card:
    """How far a judge is right, at a glance.

    Args:
        one: the judge.
        reviewers: how far two people agree on the same score; None where nobody rated the same answers.
    """
    who = " ".join(part for part in (one.evaluator or "a judge", one.evaluator_version) if part)
    facts = [
        Fact("Kappa", kappa_text(one.agreement)),
        Fact("Same verdict", percent(one.agreement.agreed)),
        Fact("Labels", count(one.agreement.n)),
        Fact("Scores", count(one.raw.n)),
    ]
    if one.corrected is not None:
        facts.append(Fact("Judge and labels are worth", gain_text(one)))
    if reviewers is not None and reviewers.kappa is not None:
        facts.append(Fact("Two people agree", kappa_text(reviewers), "No judge can be asked for more."))
    return Card(
        id=f"{one.name}/{one.evaluator}/{one.evaluator_version}",
        title=f"{one.name}, judged by {who}",
        tone=_TONES[one.gate],  # type: ignore[arg-type]
        badges=(_GATES[one.gate], *(() if one.is_current else (Badge("older version"),))),
        lines=tuple(line for line in (one.sentence, bias_line(one)) if line),
        facts=tuple(facts),
    )
