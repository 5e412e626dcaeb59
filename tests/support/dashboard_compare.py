"""Comparisons for the dashboard's tests and screenshots, built from the API's models."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import get_args

from spanwise_schemas.api_compare import Candidates, CompareBy, Compared, ComparedFailure, Comparison, Side, Verdict
from spanwise_schemas.api_correction import ScoreCorrection
from spanwise_schemas.signals import signal_named
from tests.support.dashboard_data import HOSTILE, Dataset
from tests.support.dashboard_failure_data import ARGUMENTS_ID, HOSTILE_ISSUE_ID, NEW_ID

Parameters = Mapping[str, Sequence[str]]
_VALUES: Mapping[str, tuple[str, ...]] = {
    "release": ("2026.11.4", "2026.11.3", "2026.11.2", HOSTILE),
    "prompt": ("answer@v7", "answer@v6", "extract@v2"),
    "model": ("claude-sonnet-4-5", "gpt-4o", "gpt-4o-mini"),
}


def candidates(data: Dataset, by: str, *, much: bool) -> Candidates | None:
    """Values of a dimension, the newest first; a single model and prompt with little, no release."""
    known = next((each for each in get_args(CompareBy) if each == by), None)
    if known is None:
        return None
    values = _VALUES.get(by, ())
    if not much:
        values = values[1:2] if data.traces and by != "release" else ()
    return Candidates(by=known, items=[_side(data.now, value, number) for number, value in enumerate(values)])


def comparison(data: Dataset, parameters: Parameters) -> Comparison:
    """Two sides: much is worse, some better, most the same; with little nothing can be told."""
    by, a, b = ((parameters.get(key) or ("",))[-1] for key in ("by", "a", "b"))
    a_from, a_to, start, end = (datetime.fromisoformat(parameters[key][-1]) for key in ("a_from", "a_to", "from", "to"))
    much = len(data.traces) > 2
    number = 24_000 if much else 2 if data.traces else 0
    first = Side(label=a or _utc(a_from, a_to), value=a, start=a_from, end=a_to, requests=number * 2, calls=number * 3)
    second = Side(label=b or _utc(start, end), value=b, start=start, end=end, requests=number, calls=number * 2)
    if not much:
        said = "There is too little data on one of the sides to tell." if data.traces else ""
        rows = [_row("error_rate", 0.0, 0.5, 2, 2), _row("latency", 2100.0, 2400.0, 2, 2)] if data.traces else []
        return Comparison.model_validate({"by": by, "a": first, "b": second, "metrics": rows, "sentence": said})
    return Comparison.model_validate(
        {
            "by": by,
            "a": first,
            "b": second,
            "metrics": [
                _row("error_rate", 0.013, 0.094, 48_000, 24_000, 0.081, (0.076, 0.086), "worse"),
                _row("latency", 1740.0, 1690.0, 48_000, 24_000, -0.029, (-0.06, 0.004), "no_difference", 0.21),
                _row("cost_per_request", 4.1e6, 3.2e6, 48_000, 24_000, -0.22, (-0.26, -0.18), "better"),
                _row("call_error_rate", 0.009, 0.012, 70_000, 48_000, 0.003, (0.001, 0.005), "no_difference"),
                _row("ttft", 412.0, 540.0, 9_000, 7_000, 0.31, (0.22, 0.4), "worse"),
                _row("output_tokens", 210.0, 264.0, 70_000, 48_000, 0.257, (0.21, 0.3), "different"),
                _row("cache_hit_rate", 0.31, 0.29, 400, 380, -0.02, (-0.13, 0.09), "no_difference", 1.0),
                _row("empty_retrieval_rate", 0.02, None, 120, 0),
            ],
            "scores": [
                _row("score:groundedness", 0.91, 0.84, 1_900, 1_100, -0.07, (-0.09, -0.05), "worse"),
                _row(
                    "score:helpfulness", 0.78, 0.79, 1_900, 1_100, 0.01, (-0.02, 0.04), "no_difference", 0.6
                ).model_copy(update={"correction": _correction(held=False)}),
                _row("score:tone", 0.81, 0.62, 1_900, 1_100, -0.19, (-0.25, -0.13), "not_trusted").model_copy(
                    update={"correction": _correction(held=True)}
                ),
            ],
            "failures": _failures(number),
            "sentence": f"{second.label} against {first.label}: worse: error rate, time to first token, "
            "score groundedness; better: cost per request; different: output tokens.",
            "notes": ["The sides cover different hours of the day, which may explain some of the difference."],
        }
    )


def _side(now: datetime, value: str, number: int) -> Side:
    return Side(
        label=value,
        value=value,
        start=now - timedelta(days=1),
        end=now,
        requests=4_000 * (number + 1),
        calls=9_000 * (number + 1),
        first_seen=now - timedelta(hours=5 + 19 * number),
        last_seen=now - timedelta(minutes=2 + 200 * number),
    )


def _utc(start: datetime, end: datetime) -> str:
    return f"{start:%d %b %H:%M} to {end:%d %b %H:%M} UTC"


def _row(
    signal: str,
    a: float | None,
    b: float | None,
    n_a: int,
    n_b: int,
    difference: float | None = None,
    interval: tuple[float, float] | None = None,
    verdict: Verdict = "too_few",
    p_value: float | None = 0.0001,
) -> Compared:
    known = signal_named(signal)
    low, high = interval or (None, None)
    return Compared(
        signal=signal,
        title=known.title,
        unit=known.unit,
        a=a,
        b=b,
        n_a=n_a,
        n_b=n_b,
        difference=difference,
        low=low,
        high=high,
        relative=known.form not in ("rate", "mean"),
        p_value=None if difference is None else p_value,
        verdict=verdict,
        sentence=f"{known.title}: said.",
    )


def _correction(*, held: bool) -> ScoreCorrection:
    return ScoreCorrection(
        corrected=True,
        labels_a=212,
        labels_b=140,
        raw_a=0.83,
        raw_b=0.7,
        held="gpt-4o-judge 3: kappa 0.31 with 352 labels is below 0.4" if held else "",
        words="corrected by 212 and 140 labels",
    )


def _failures(number: int) -> list[ComparedFailure]:
    found: tuple[tuple[str, str, str, int, int, Verdict], ...] = (
        (ARGUMENTS_ID, "lookup_invoice: 'invoice_id' is a required property", "wrong_arguments", 4, 97, "worse"),
        (NEW_ID, "I can't help with account closures.", "refusal", 0, 38, "worse"),
        ("1550e00000000004", "ReadTimeout: no bytes within 60 s", "timeout", 830, 212, "better"),
        (HOSTILE_ISSUE_ID, HOSTILE, "exception", 9, 5, "no_difference"),
    )
    return [
        ComparedFailure(
            issue_id=issue_id,
            title=title,
            failure_class=name,
            count_a=a,
            count_b=b,
            rate_a=a / number / 3,
            rate_b=b / number / 2,
            verdict=verdict,
        )
        for issue_id, title, name, a, b, verdict in found
    ]
