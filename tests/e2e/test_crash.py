"""The collector killed at every step of a batch, with static assignment: each span is stored exactly once."""

from dataclasses import replace
from pathlib import Path

import pytest

from spanwise_collector.ingest.steps import Step
from tests.support.crash import drained, run_until_killed, sender
from tests.support.ingest_process import Plan
from tests.support.logs import fresh_topic

MOMENTS = {
    "before the pin": (Step.BUILT, 2, 0.0),
    "after the pin": (Step.PINNED, 2, 0.0),
    "in an insert": (Step.INSERTING, 4, 0.05),
    "between tables": (Step.INSERTED, 4, 0.0),
    "before the release": (Step.RECORDED, 2, 0.0),
    "after the release": (Step.RELEASED, 2, 0.0),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_collector_stores_every_span_once(kafka_bootstrap: str, tmp_path: Path, moment: str) -> None:
    """SIGKILL takes the engine with it; the next process finds the pin, and stores what had not landed."""
    step, occurrence, within_s = MOMENTS[moment]
    topic = fresh_topic()
    spans = sender(kafka_bootstrap, topic)
    spans.send(40)
    plan = Plan(bootstrap=kafka_bootstrap, dsn=f"chdb://{tmp_path}", topic=topic)

    run_until_killed(replace(plan, kill_at=step, kill_on=occurrence, kill_within_s=within_s))
    spans.send(10)
    found = drained(replace(plan, drain=True))

    assert found == spans.expected()
