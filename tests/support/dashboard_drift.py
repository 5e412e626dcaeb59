"""Digests of drift for the dashboard's tests and screenshots."""

from datetime import date, datetime, timedelta

from spanwise_schemas.api_drift import DriftReport, Finding, ShareShift, TextCluster, Watched, WordShift
from tests.support.dashboard_alert_data import band
from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE, HOSTILE_TRACE_ID, OK_TRACE_ID, Dataset


def young(data: Dataset, days: float) -> DriftReport:
    """The first days of a project: nothing can be compared yet."""
    return _report(data, data.now.date() - timedelta(days=1), [], [], history=days)


def quiet(data: Dataset, day: date) -> DriftReport:
    """A day on which everything was as usual."""
    return _report(data, day, [], _watched())


def eventful(data: Dataset, day: date) -> DriftReport:
    """A day with a finding of every form."""
    return _report(data, day, _findings(data.now), _watched())


def _report(
    data: Dataset, day: date, findings: list[Finding], watched: list[Watched], history: float = 21.4
) -> DriftReport:
    start = data.now.replace(year=day.year, month=day.month, day=day.day, hour=0, minute=0, second=0, microsecond=0)
    newest = data.now.date() - timedelta(days=1)
    return DriftReport(
        project="default",
        day=day,
        start=start,
        end=start + timedelta(days=1),
        findings=findings,
        tested=len(findings) + sum(one.verdict == "usual" for one in watched),
        history_days=history,
        watched=watched,
        texts={
            "input": "Compared with the seven days before by static embeddings, 2,000 texts a day.",
            "output": "Not compared: bodies of answers are not recorded.",
        }
        if watched
        else {},
        days=[newest - timedelta(days=number) for number in range(14)] if watched or findings else [],
    )


def _findings(now: datetime) -> list[Finding]:
    began = now - timedelta(hours=26)
    return [
        Finding(
            finding_id="refusal_rate/prompt=answer@v7",
            signal="refusal_rate",
            title="Refusals",
            form="rate",
            series={"prompt": "answer@v7"},
            direction="up",
            unit="ratio",
            before=0.021,
            after=0.074,
            change=0.053,
            change_low=0.041,
            change_high=0.066,
            began=began,
            e_value=48_000.0,
            sentence="Answers with prompt answer@v7 decline three times as often as before.",
            explanation="It begins with the first calls of this prompt version; other versions are as before.",
            band=band(now, usual=0.021, after=0.074, began=timedelta(hours=26), hours=72),
            samples_before=9400,
            samples_after=1310,
            filters={"prompt": ["answer@v7"]},
        ),
        Finding(
            finding_id="call_latency/provider=anthropic",
            signal="call_latency",
            title="Call latency",
            form="numeric",
            series={"provider": "anthropic"},
            direction="up",
            unit="ms",
            before=1740.0,
            after=2310.0,
            change=0.33,
            change_low=0.27,
            change_high=0.39,
            relative=True,
            began=began,
            e_value=2_300_000.0,
            sentence="Calls of anthropic take 33% longer.",
            band=band(now, usual=1740.0, after=2310.0, began=timedelta(hours=26), hours=72, seed=5),
            samples_before=7000,
            samples_after=1100,
        ),
        Finding(
            finding_id="model_mix",
            signal="model_mix",
            title="Models",
            form="categorical",
            direction="changed",
            sentence="More calls are answered by gpt-4o-mini, fewer by gpt-4o.",
            e_value=310.0,
            shares=[
                ShareShift(value="gpt-4o-mini", before=0.51, after=0.64, low=0.11, high=0.15),
                ShareShift(value="gpt-4o", before=0.38, after=0.25, low=-0.15, high=-0.11),
                ShareShift(value=HOSTILE, before=0.11, after=0.11),
            ],
            samples_before=9400,
            samples_after=1310,
        ),
        Finding(
            finding_id="text_input",
            signal="text_input",
            title="What users ask",
            form="text",
            direction="changed",
            p_value=0.004,
            sentence="A new subject: questions about the price increase, 7% of all since Tuesday.",
            clusters=[
                TextCluster(
                    label="price, increase, renewal, 20%",
                    is_new=True,
                    before=0.002,
                    after=0.071,
                    low=0.055,
                    high=0.088,
                    examples=["Why does my renewal cost 20% more?", "Can I keep the old price?", HOSTILE],
                    trace_ids=[ERROR_TRACE_ID, OK_TRACE_ID, HOSTILE_TRACE_ID],
                ),
                TextCluster(
                    label="invoice, address, billing", before=0.24, after=0.19, examples=["Change the address"]
                ),
            ],
            words=[
                WordShift(word="increase", z=14.2, before=0.1, after=3.4),
                WordShift(word="renewal", z=9.8, before=0.4, after=2.9),
                WordShift(word="invoice", z=-6.1, before=8.2, after=5.9),
            ],
            samples_before=14_000,
            samples_after=2000,
        ),
        Finding(
            finding_id="score:groundedness",
            signal="score:groundedness",
            title="Score groundedness",
            form="score",
            direction="down",
            unit="score",
            before=0.86,
            after=0.81,
            change=-0.05,
            change_low=-0.065,
            change_high=-0.035,
            began=began,
            e_value=900.0,
            sentence="The mean of groundedness fell from 0.86 to 0.81.",
            samples_before=6000,
            samples_after=860,
        ),
    ]


def _watched() -> list[Watched]:
    return [
        Watched(signal="requests", title="Requests", value=1310, before=1290, unit="count"),
        Watched(signal="error_rate", title="Error rate", value=0.013, before=0.0135, unit="ratio"),
        Watched(
            signal="call_latency",
            title="Call latency",
            series={"provider": "openai"},
            value=1204.0,
            before=1190.0,
            unit="ms",
        ),
        Watched(signal="cost_per_request", title="Cost per request", value=8_400_000, before=8_350_000, unit="nanousd"),
        Watched(
            signal="ttft",
            title="Time to first token",
            series={"model": "llama-3.3-70b-local"},
            verdict="too_few",
            detail="12 streamed calls; 100 are needed",
        ),
        Watched(
            signal="error_rate",
            title="Error rate",
            series={"release": "2026.11.4"},
            verdict="too_new",
            detail="First seen 2 days ago; 7 are needed",
        ),
    ]
