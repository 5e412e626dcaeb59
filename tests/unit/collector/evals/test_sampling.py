"""Which targets are scored: repeatable, with the probability that is stored, closer where strata say so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.evals.config import EvaluatorEntry, Stratum
from spanwise_collector.evals.panel import chosen, seen_as
from spanwise_collector.evals.releases import Releases
from spanwise_collector.evals.sampling import Chance, chance_of, is_chosen
from spanwise_collector.evals.targets import Target
from spanwise_collector.store.database import Database
from spanwise_evaluators.model import Sample
from tests.support.rows import T0, Span, insert

TARGET = Target(
    project="shop",
    trace_id=bytes(15) + b"\1",
    span_id=bytes(7) + b"\1",
    start_us=10_000_000_000_000,
    duration_us=2_000_000,
    is_root=False,
    name="ask",
    kind="llm",
    environment="prod",
    release="v2",
    scope="spanwise",
    failure_class="",
    output_tokens=100,
    sample=Sample(),
)


def never_seen(_project: str, _release: str, start_us: int) -> int:
    """Every release is new."""
    return start_us


STRATA = (
    Stratum(name="failed", boost=20, failure_class=("time*",)),
    Stratum(name="long", boost=3, min_output_tokens=500),
    Stratum(name="slow", boost=2, min_duration_ms=60_000),
    Stratum(name="named", boost=0.5, span_name=("plan*",)),
    Stratum(name="new", boost=4, new_release_hours=1),
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"failure_class": "timeout"}, Chance(1.0, "failed")),
        ({"failure_class": "refusal", "release": ""}, Chance(0.1, "rest")),
        ({"output_tokens": 500}, Chance(0.1 * 3, "long")),
        ({"duration_us": 60_000_000}, Chance(0.2, "slow")),
        ({"name": "planner"}, Chance(0.05, "named")),
        ({}, Chance(0.4, "new")),
        ({"release": ""}, Chance(0.1, "rest")),
    ],
)
def test_the_first_stratum_that_fits_counts(change: dict[str, object], expected: Chance) -> None:
    """The base rate is multiplied by its boost, and never above 1."""
    assert chance_of(replace(TARGET, **change), 0.1, STRATA, never_seen) == expected  # type: ignore[arg-type]  # one field


def test_a_release_is_new_only_for_a_while() -> None:
    """It is the span's own time that counts, so that reading late changes nothing."""
    hour_us = 3_600_000_000
    for age_us, stratum in ((0, "new"), (hour_us, "new"), (hour_us + 1, "rest")):
        chance = chance_of(TARGET, 0.1, STRATA, lambda *_, age_us=age_us: TARGET.start_us - age_us)
        assert chance.stratum == stratum


def test_without_strata_there_is_no_name() -> None:
    """Where everything is drawn alike, no stratum is told."""
    assert chance_of(TARGET, 0.1, (), never_seen) == Chance(0.1, "")


@given(st.binary(min_size=24, max_size=24), st.text(max_size=8), st.floats(0.001, 1), st.floats(0.001, 1))
def test_a_higher_probability_keeps_who_was_chosen(target: bytes, salt: str, one: float, other: float) -> None:
    """Choosing is a function of id and salt: again the same, and samples at higher rates contain those at lower."""
    low, high = sorted((one, other))
    assert is_chosen(target, salt, low) == is_chosen(target, salt, low)
    assert is_chosen(target, salt, high) or not is_chosen(target, salt, low)
    assert is_chosen(target, salt, 1.0)


def test_the_share_is_the_probability() -> None:
    """Of 20,000 targets 5 % are chosen, within four standard errors; another salt chooses independently."""
    ids = [number.to_bytes(24, "big") for number in range(20_000)]
    first = {one for one in ids if is_chosen(one, "a", 0.05)}
    second = {one for one in ids if is_chosen(one, "b", 0.05)}
    assert abs(len(first) - 1000) < 4 * (20_000 * 0.05 * 0.95) ** 0.5
    assert abs(len(first & second) - 50) < 4 * 50**0.5


def test_weighted_by_its_inverse_the_sample_tells_the_mean() -> None:
    """A stratum that is looked at ten times closer does not move the Hájek mean: bad answers are 10 %."""
    sums = [0.0, 0.0]
    for number in range(50_000):
        target = replace(
            TARGET, trace_id=number.to_bytes(16, "big"), failure_class="timeout" if number % 10 == 0 else ""
        )
        chance = chance_of(target, 0.05, STRATA[:1], never_seen)
        if is_chosen(target.id, "s", chance.probability):
            sums[0] += (number % 10 == 0) / chance.probability
            sums[1] += 1 / chance.probability
    assert sums[0] / sums[1] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("fields", "is_wanted"),
    [
        ({}, True),
        ({"project": "other"}, False),
        ({"where": {"kind": "tool"}}, False),
        ({"where": {"kind": ["tool", "llm"], "name": "a*", "environment": "prod", "release": "v?"}}, True),
        ({"where": {"name": "b*"}}, False),
        ({"where": {"environment": "test"}}, False),
        ({"where": {"release": "v1"}}, False),
        ({"target": "trace"}, False),
    ],
)
def test_only_what_fits_is_looked_at(fields: dict[str, object], is_wanted: bool) -> None:
    """Project and all filters must fit; of a trace it is the root."""
    entry = EvaluatorEntry.model_validate({"evaluator": "x", "project": "shop", **fields})
    assert (chosen(TARGET, entry, "s", never_seen) is not None) is is_wanted


def test_a_trace_is_scored_by_its_root() -> None:
    """The root's sample, with the trace as the target and its id as what is drawn."""
    entry = EvaluatorEntry(evaluator="x", project="shop", target="trace")
    seen = seen_as(replace(TARGET, is_root=True), entry)
    assert (seen.span_id, seen.id) == (bytes(8), TARGET.trace_id)
    assert chosen(seen, entry, "s", never_seen) == Chance(1.0, "")


def test_a_release_is_known_from_its_first_span(database: Database) -> None:
    """The store is asked once; a span earlier than all that is stored counts as the first; projects are apart."""
    insert(
        database,
        [Span(trace=1, span=1, project="shop", release="v2"), Span(trace=2, span=2, project="b", release="v3")],
    )
    releases = Releases(database)
    first_us, later_us = int(T0.timestamp()) * 1_000_000, int((T0 + timedelta(hours=5)).timestamp()) * 1_000_000

    assert releases.first_seen("shop", "v2", later_us) == first_us
    assert releases.first_seen("shop", "v3", later_us) == later_us
    assert releases.first_seen("shop", "v3", later_us - 7) == later_us - 7
    assert releases.first_seen("shop", "v3", later_us) == later_us - 7
