"""Eval scores in words, tables and charts: the pure parts of the page Evals."""

from datetime import UTC, datetime, timedelta

import pytest

from spanwise_dashboard.components import histogram, trend
from spanwise_dashboard.views.evals import Sure, chart_of, figures, step_for
from spanwise_dashboard.views.evals_examples import bad_ones
from spanwise_dashboard.views.evals_parts import apart, share_rows, split_rows, yes_no_rows
from spanwise_dashboard.views.evals_words import (
    bias_line,
    chosen,
    estimate_help,
    estimate_text,
    evenness,
    gain_text,
    giver_text,
    interval_text,
    judge_card,
    judge_of,
    kappa_text,
    score_text,
    value_text,
)
from spanwise_schemas.api_evals import (
    Bin,
    Gate,
    JudgeHealth,
    Judges,
    LabelShare,
    MeanEstimate,
    RaterAgreement,
    ScoredExample,
    ScoredExamples,
    ScoreDistribution,
    ScoreEvaluator,
    ScoreName,
    ScoreShape,
    ScoreTrend,
    TrendLine,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MEAN = MeanEstimate(mean=0.812, low=0.784, high=0.8391, n=900, effective=900)
NOTHING = MeanEstimate()


def evaluator(source: str, name: str = "", count: int = 1) -> ScoreEvaluator:
    """Who gives a score."""
    return ScoreEvaluator(source=source, evaluator=name, versions=["1"], count=count, last_seen=NOW)


def name_of(name: str, *evaluators: ScoreEvaluator) -> ScoreName:
    """A score with who gives it."""
    return ScoreName(name=name, shape="yes_no", count=9, last_seen=NOW, evaluators=list(evaluators))


def judge(gate: Gate = "trusted", **more: object) -> JudgeHealth:
    """A judge that says 81.2 % where people say 75 %."""
    values: dict[str, object] = {
        "name": "helpful",
        "evaluator": "gpt-judge",
        "evaluator_version": "3",
        "is_current": True,
        "shape": "yes_no",
        "last_seen": NOW,
        "agreement": RaterAgreement(n=64, agreed=0.9, kappa=0.71, low=0.55, high=0.82),
        "gate": gate,
        "sentence": "Agrees with people: kappa 0.71 with 64 labels.",
        "raw": MEAN,
        "people": MeanEstimate(mean=0.74, low=0.62, high=0.83, n=64, effective=64),
        "corrected": MeanEstimate(mean=0.75, low=0.71, high=0.79, n=64, effective=240),
        "power": 0.8,
        "gain": 2.5,
        **more,
    }
    return JudgeHealth.model_validate(values)


def line(key: str, mean: float, low: float, high: float, n: int = 10) -> TrendLine:
    """A line with one step."""
    total = MeanEstimate(mean=mean, low=low, high=high, n=n, effective=n)
    return TrendLine(key=key, n=[n, 0], mean=[mean, None], low=[low, None], high=[high, None], total=total)


def trend_of(*lines: TrendLine, **more: object) -> ScoreTrend:
    """Two hours of a score."""
    values: dict[str, object] = {
        "name": "helpful",
        "source": "llm",
        "shape": "yes_no",
        "split": "release",
        "start": NOW - timedelta(hours=2),
        "end": NOW,
        "step_seconds": 3600,
        "times": [NOW - timedelta(hours=2), NOW - timedelta(hours=1)],
        "lines": list(lines),
        "total": MEAN,
        **more,
    }
    return ScoreTrend.model_validate(values)


def example(value: float) -> ScoredExample:
    """An answer with this score."""
    return ScoredExample(
        score_id="0" * 32,
        time=NOW,
        value=value,
        label="",
        explanation="",
        source="llm",
        evaluator="judge",
        evaluator_version="1",
        trace_id="1" * 32,
        span_id="",
        session_id="",
    )


@pytest.mark.parametrize(
    ("value", "shape", "text"),
    [
        (0.812, "yes_no", "81.2%"),
        (1.0, "yes_no", "100%"),
        (0.3, "label", "30.0%"),
        (0.66, "number", "0.660"),
        (1234.5, "number", "1,234"),
        (None, "number", "—"),
    ],
)
def test_means_read_as_what_they_are(value: float | None, shape: ScoreShape, text: str) -> None:
    """Shares in percent, numbers with three digits, nothing as a dash."""
    assert score_text(value, shape) == text


def test_one_answer_reads_as_it_was_scored() -> None:
    """Yes and no in words, numbers as they came."""
    assert [value_text(value, "yes_no") for value in (1.0, 0.0, 0.5)] == ["yes", "no", "0.5"]
    assert (value_text(0.25, "number"), value_text(None, "number")) == ("0.25", "—")


def test_a_mean_is_never_told_without_how_sure_it_is() -> None:
    """With its interval, or that it is not known."""
    assert estimate_text(MEAN, "yes_no") == "81.2% (78.4% to 83.9%)"
    assert estimate_text(MeanEstimate(mean=0.7, n=1), "number") == "0.700 (how sure: unknown)"
    assert (estimate_text(NOTHING, "yes_no"), interval_text(None, "yes_no")) == ("—", "")


def test_what_a_mean_rests_on() -> None:
    """How many, how unequal, what was left out, and why nothing can be said."""
    assert estimate_help(MEAN) == "Of 900 scores."
    assert estimate_help(MeanEstimate(mean=0.7, n=1, effective=1, dropped=2)) == (
        "Of 1 score. They are too few, or all the same, so nothing can be said of how sure the mean is. "
        "2 scores without a known chance or value left out."
    )
    uneven = MEAN.model_copy(update={"effective": 412.4})
    assert "412 chosen alike would say as much" in estimate_help(uneven)
    assert (evenness(uneven), evenness(MEAN), evenness(NOTHING)) == ("as good as 412 alike", "", "")


def test_what_is_shown_without_a_choice() -> None:
    """The score that there is most of, and who gives most of it without being a reviewer; else what was chosen."""
    helpful = name_of("helpful", evaluator("human", "ann"), evaluator("llm", "judge"))
    checked = name_of("checked", evaluator("human", "ann"))

    assert chosen([helpful, checked], "", "") == (helpful, helpful.evaluators[1])
    assert chosen([helpful, checked], "checked", "llm:judge") == (checked, checked.evaluators[0])
    assert chosen([helpful], "gone", "human:ann") == (helpful, helpful.evaluators[0])
    assert [giver_text(one) for one in helpful.evaluators] == ["ann (reviewers)", "judge (a judge)"]
    assert giver_text(evaluator("user")) == "users"


def test_the_judge_in_use() -> None:
    """Of a score and evaluator, the version that scored last."""
    old, new = judge(evaluator_version="2", is_current=False), judge()
    found = Judges(items=[old, new], min_labels=50, held_below=0.4, weak_below=0.6)

    assert judge_of(found, "helpful", "gpt-judge") == new
    assert judge_of(found, "helpful", "other") is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "It says 81.2%; corrected by people it is 75.0% (71.0% to 79.0%). The judge is too kind."),
        (
            {"raw": MeanEstimate(mean=0.5, n=9)},
            "It says 50.0%; corrected by people it is 75.0% (71.0% to 79.0%). The judge is too strict.",
        ),
        (
            {"raw": MeanEstimate(mean=0.76, n=9)},
            "It says 76.0%; corrected by people it is 75.0% (71.0% to 79.0%). That it is too kind or too strict cannot "
            "be told from these labels.",
        ),
        (
            {"corrected": MeanEstimate(mean=0.7, n=1)},
            "It says 81.2%; corrected by people it is 70.0% (how sure: unknown).",
        ),
        ({"corrected": None}, ""),
    ],
)
def test_what_a_judge_gets_wrong(change: dict[str, object], expected: str) -> None:
    """Too kind or too strict only where the interval says so."""
    assert bias_line(judge(**change)) == expected  # type: ignore[arg-type]


def test_what_a_judge_is_worth() -> None:
    """In labels that people would have to give, or nothing."""
    assert [gain_text(one) for one in (judge(), judge(gain=1.01), judge(corrected=None))] == [
        "as 160 labels alone",
        "as good as none",
        "—",
    ]


def test_a_judge_card() -> None:
    """Gate, sentence, bias and figures; an older version says that it is one, a bad one is red."""
    card = judge_card(judge(), RaterAgreement(n=30, agreed=0.95, kappa=0.88, low=0.7, high=0.95))
    bad = judge_card(judge("held", is_current=False, corrected=None, sentence="Not trusted."), None)

    assert (card.title, card.tone, [one.text for one in card.badges]) == (
        "helpful, judged by gpt-judge 3",
        "good",
        ["agrees with people"],
    )
    assert [(fact.label, fact.text) for fact in card.facts] == [
        ("Kappa", "0.71 (0.55 to 0.82)"),
        ("Same verdict", "90.0%"),
        ("Labels", "64"),
        ("Scores", "900"),
        ("Judge and labels are worth", "as 160 labels alone"),
        ("Two people agree", "0.88 (0.70 to 0.95)"),
    ]
    assert card.lines[0] == "Agrees with people: kappa 0.71 with 64 labels."
    assert (bad.tone, [one.text for one in bad.badges], bad.lines) == (
        "bad",
        ["not trusted", "older version"],
        ("Not trusted.",),
    )
    assert kappa_text(None) == "—"


def test_figures_show_the_corrected_mean_beside_the_raw_one() -> None:
    """With the judge's version where there are several; without a judge neither it nor kappa."""
    found = figures(trend_of(), judge(), versions=2)

    assert [(one.label, one.value, one.below) for one in found] == [
        ("Mean", "81.2%", "78.4% to 83.9%"),
        ("Scores", "900", ""),
        ("Corrected, 3", "75.0%", "71.0% to 79.0%"),
        ("Kappa with people", "0.71", "64 labels"),
    ]
    unlabelled = figures(trend_of(), judge(corrected=None, agreement=RaterAgreement(n=0)))
    assert [(one.label, one.value, one.below) for one in unlabelled[2:]] == [
        ("Corrected", "—", "needs labels by people"),
        ("Kappa with people", "—", "0 labels"),
    ]
    alone = figures(trend_of(label="rude", shape="label", total=NOTHING), None)
    assert alone[0] == Sure("Share of rude", "—", "how sure: not known", alone[0].help)
    assert len(alone) == 2


def test_lines_whose_intervals_are_apart_are_marked() -> None:
    """Against the line with the most scores; where they overlap, or one is not known, nothing is claimed."""
    found = trend_of(line("v1", 0.8, 0.75, 0.85, 100), line("v2", 0.6, 0.5, 0.7), line("", 0.74, 0.6, 0.9))

    assert [([badge.text for badge in row.cells[0].badges], row.cells[0].text) for row in split_rows(found)] == [
        ([], "v1"),
        (["lower"], "v2"),
        ([], "(not known)"),
    ]
    assert [cell.text for cell in split_rows(found)[1].cells] == ["v2", "10", "60.0%", "50.0% to 70.0%"]
    assert not apart(MEAN, NOTHING)
    assert split_rows(trend_of()) == []


def test_shares_have_bars() -> None:
    """Of labels, and of yes and no."""
    labels = ScoreDistribution(
        name="tone",
        source="user",
        shape="label",
        total=NOTHING,
        labels=[LabelShare(label="rude", count=3, share=0.6), LabelShare(label="", count=2, share=0.4)],
    )
    bins = [Bin(low=0, high=0.5, count=1, share=0.25), Bin(low=0.5, high=1, count=3, share=0.75)]
    yes_no = ScoreDistribution(name="ok", source="llm", shape="yes_no", total=MEAN, bins=bins)

    assert [[cell.text for cell in row.cells] for row in share_rows(labels)] == [
        ["rude", "3", "60.0%"],
        ["(none)", "2", "40.0%"],
    ]
    assert [(row.cells[0].text, row.cells[2].bar) for row in yes_no_rows(yes_no)] == [("yes", 0.75), ("no", 0.25)]
    assert histogram.payload("Distribution of ok", yes_no, "ratio") == {
        "title": "Distribution of ok",
        "unit": "ratio",
        "mean": 0.812,
        "bins": [
            {"low": 0, "high": 0.5, "count": 1, "share": 0.25},
            {"low": 0.5, "high": 1, "count": 3, "share": 0.75},
        ],
    }


def test_what_the_chart_draws() -> None:
    """A line with its interval for each value that has scores; steps without any are empty."""
    window = (NOW - timedelta(hours=2), NOW)
    found = chart_of(trend_of(line("v1", 0.8, 0.75, 0.85, 100), line("v2", 0.0, 0.0, 0.0, 0)), window)

    assert trend.payload(found) == {
        "title": "helpful over time",
        "unit": "ratio",
        "times": [int(moment.timestamp() * 1000) for moment in (window[0], NOW - timedelta(hours=1))],
        "step": 3_600_000,
        "window": [int(moment.timestamp() * 1000) for moment in window],
        "series": [
            {
                "label": "v1",
                "color": "#4c6fff",
                "values": [0.8, None],
                "low": [0.75, None],
                "high": [0.85, None],
                "n": [100, 0],
            }
        ],
    }
    assert chart_of(trend_of(line("", 1, 0, 1), split="none"), window).series[0].label == "helpful"
    assert chart_of(trend_of(line("", 1, 0, 1), label="rude", shape="label"), window).title == "Share of rude over time"


@pytest.mark.parametrize(
    ("hours", "scores", "step"),
    [
        (0.25, 10_000, 60),
        (24, 10_000, 1800),
        (24, 12, 14_400),
        (24, 480, 3600),
        (14 * 24, 10_000, 43_200),
        (400 * 24, 0, 86_400),
    ],
)
def test_steps_hold_enough_scores(hours: float, scores: int, step: int) -> None:
    """20 if they are spread evenly; 6 to 48 steps, and none longer than a day."""
    assert step_for(NOW - timedelta(hours=hours), NOW, scores) == step


def test_of_yes_and_no_only_the_bad_one_is_listed() -> None:
    """Numbers are all listed, in their order."""
    items = [example(0.0), example(1.0)]
    lowest = ScoredExamples(name="helpful", source="llm", order="lowest", items=items)
    highest = lowest.model_copy(update={"order": "highest"})

    assert bad_ones(lowest, "yes_no") == items[:1]
    assert bad_ones(highest, "yes_no") == items[1:]
    assert bad_ones(lowest, "number") == items
