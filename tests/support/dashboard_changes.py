"""What changed between two windows, for the dashboard's tests and screenshots."""

from datetime import datetime, timedelta

from spanwise_schemas.api_changes import (
    DimensionContributions,
    Exemplar,
    GrownFailure,
    NewVersion,
    SliceChange,
    ValueContribution,
    WhatChanged,
)
from tests.support.dashboard_data import ERROR_TRACE_ID, HOSTILE, OK_TRACE_ID, Dataset


def what_changed(data: Dataset, began: datetime) -> WhatChanged:
    """A prompt version on one model that fails; contributions of each dimension add up to the difference."""
    return WhatChanged(
        project="default",
        signal="error_rate",
        title="Error rate",
        unit="ratio",
        before_start=began - timedelta(days=7),
        before_end=began - timedelta(days=7) + (data.now - began),
        start=began,
        end=data.now,
        n_before=2140,
        n_after=1204,
        before=0.013,
        after=0.094,
        difference=0.081,
        low=0.061,
        high=0.102,
        sentence="Most of it comes from model gpt-4o with prompt answer@v7: 41% of its requests fail.",
        slices=[
            SliceChange(
                dims={"model": "gpt-4o", "prompt": "answer@v7"},
                label="model gpt-4o, prompt answer@v7",
                n_before=0,
                n_after=236,
                before=None,
                after=0.41,
                contribution=0.0766,
                share=0.946,
                score=38.2,
                sentence="New: there was none of it before.",
                filters={"model": ["gpt-4o"], "prompt": ["answer@v7"], "status": ["error"]},
            ),
            SliceChange(
                dims={"route": "answer_question"},
                label="request answer_question",
                n_before=1610,
                n_after=902,
                before=0.011,
                after=0.112,
                low=0.079,
                high=0.123,
                contribution=0.0757,
                share=0.935,
                score=21.0,
                filters={"route": ["answer_question"]},
            ),
        ],
        dimensions=[
            DimensionContributions(
                dimension="model",
                mix=0.006,
                rate=0.075,
                values=[
                    _value("gpt-4o", 610, 398, 0.012, 0.251, 0.0009, 0.0772, (0.058, 0.096)),
                    _value("gpt-4o-mini", 1200, 640, 0.014, 0.016, -0.0002, 0.0011, (-0.004, 0.006)),
                    _value(HOSTILE, 330, 166, 0.011, 0.012, 0.0053, -0.0033, None),
                ],
            ),
            DimensionContributions(
                dimension="user_group",
                mix=0.001,
                rate=0.08,
                values=[
                    _value("free", 1500, 840, 0.012, 0.095, 0.0004, 0.0561, (0.04, 0.07)),
                    _value("", 640, 364, 0.015, 0.092, 0.0006, 0.0239, (0.01, 0.04)),
                ],
            ),
        ],
        bad=[
            Exemplar(
                trace_id=ERROR_TRACE_ID,
                time=data.now - timedelta(minutes=5),
                name="answer_question",
                preview='{"question": "Why was my card declined although the bank says it is fine?"}',
                value=1.0,
                detail="Failed: the tool lookup_invoice got arguments that do not fit its schema",
            ),
            Exemplar(
                trace_id="e" * 32,
                time=data.now - timedelta(minutes=2),
                name=HOSTILE,
                preview=HOSTILE,
                value=1.0,
                detail=HOSTILE,
            ),
        ],
        good=[
            Exemplar(
                trace_id=OK_TRACE_ID,
                time=data.now - timedelta(minutes=6),
                name="answer_question",
                preview="How do I change the billing address on an invoice that was already sent?",
                value=0.0,
                detail="Same request with prompt answer@v6",
            )
        ],
        versions=[
            NewVersion(dimension="prompt", value="answer@v7", first_seen=began - timedelta(minutes=11), share=0.196),
            NewVersion(dimension="release", value="2026.11.4", first_seen=began + timedelta(seconds=20), share=0.31),
        ],
        failures=[
            GrownFailure(
                issue_id="1550e00000000001",
                title="lookup_invoice: 'invoice_id' is a required property",
                failure_class="wrong_arguments",
                before=2,
                after=97,
                expected=1.1,
            )
        ],
        filters={"status": ["error"]},
        notes=["Users without a group are one value of their own."],
    )


def _value(
    value: str,
    n_before: int,
    n_after: int,
    before: float,
    after: float,
    mix: float,
    rate: float,
    sure: tuple[float, float] | None,
) -> ValueContribution:
    low, high = sure or (None, None)
    return ValueContribution(
        value=value,
        n_before=n_before,
        n_after=n_after,
        before=before,
        after=after,
        mix=mix,
        rate=rate,
        low=low,
        high=high,
    )
