"""What changed, from the store to the answer."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from spanwise_collector.attribution.explain import what_changed
from spanwise_collector.attribution.populations import EVERYTHING, Question
from spanwise_collector.query.window import HOUR, Window
from spanwise_collector.store.database import Database
from spanwise_schemas.api_changes import WhatChanged
from spanwise_schemas.rules import Where
from spanwise_schemas.signals import signal_named
from tests.unit.collector.attribution.made import AFTER, BEFORE, CHANGE, fail, store, store_languages, traffic


def ask(database: Database, signal: str, where: Where = EVERYTHING) -> WhatChanged:
    """What changed between the two windows of `made`."""
    return what_changed(database, Question("default", signal_named(signal), BEFORE, AFTER, where))


def adds_up(found: WhatChanged) -> bool:
    """Whether the parts of each dimension add up to the difference."""
    whole = found.difference or 0.0
    return all(
        sum(value.mix + value.rate for value in one.values) == pytest.approx(whole, abs=1e-9 * max(1.0, abs(whole)))
        and one.mix + one.rate == pytest.approx(whole, abs=1e-9 * max(1.0, abs(whole)))
        for one in found.dimensions
    )


def test_a_new_prompt_version_that_fails_on_one_model(database: Database) -> None:
    """It is named first, with examples, the version, and filters for its traces; everything adds up."""
    made = traffic(1, 2_500, 1_000, new=[("prompt", "ask@v2")])
    bad = made.where(prompt="ask@v2", model="m-1")
    fail(made, bad, 0.4, 3)
    store(database, made)

    found = ask(database, "error_rate")

    first = found.slices[0]
    assert (first.dims, first.label) == ({"model": "m-1", "prompt": "ask@v2"}, "model m-1, prompt ask@v2")
    assert (first.n_before, first.n_after, first.before) == (0, bad.sum(), None)
    assert first.after == pytest.approx(made.failed[bad].mean())
    assert first.low is not None
    assert first.low > 0.2
    assert first.filters == {"model": ["m-1"], "prompt": ["ask@v2"], "status": ["error"]} == found.filters
    assert found.difference is not None
    assert found.difference == pytest.approx(made.failed[made.now].mean() - made.failed[~made.now].mean())
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.difference < found.high
    assert adds_up(found)
    assert found.sentence.endswith("comes from model m-1, prompt ask@v2.")
    assert (len(found.bad), len(found.good)) == (5, 2)
    traces = {int(one.trace_id, 16) - 1: one for one in [*found.bad, *found.good]}
    assert all(bad[number] and made.failed[number] == (one.value == 1.0) for number, one in traces.items())
    assert {one.detail for one in found.bad} == {"it broke"}
    assert found.bad[0].preview.startswith("question ")
    assert [(one.dimension, one.value) for one in found.versions] == [("prompt", "ask@v2")]
    assert found.versions[0].first_seen >= CHANGE
    assert found.versions[0].share == pytest.approx(1 / 3, abs=0.05)


def test_a_model_that_slows_down(database: Database) -> None:
    """Latency is told in milliseconds; parts of a logarithm add up to them; examples are the slowest."""
    made = traffic(2, 2_000, 1_000)
    slow = made.where(model="m-2")
    made.log_ms[slow] += np.log(3)
    store(database, made)

    found = ask(database, "latency")

    assert found.slices[0].dims in ({"model": "m-2"}, {"provider": "p-2"})
    assert found.after == pytest.approx(np.exp(made.log_ms[made.now].mean()), rel=1e-3)
    assert found.slices[0].share == pytest.approx(1.0, abs=0.15)
    assert found.slices[0].contribution == pytest.approx(found.slices[0].share * (found.difference or 0.0))
    assert adds_up(found)
    slowest = np.sort(np.exp(made.log_ms[slow]))[-5:]
    assert [one.value for one in found.bad] == pytest.approx(slowest[::-1].tolist(), rel=1e-3)
    assert not {one.trace_id for one in found.good} & {one.trace_id for one in found.bad}
    # The provider has this one model: it is the same traffic in other words.
    assert found.readings[0] in ("provider p-2", "model m-2")


def test_a_user_group_that_costs_more(database: Database) -> None:
    """A rise of spend is put down to the group, windows of unlike length made alike."""
    made = traffic(3, 2_000, 500)
    made.cost_n[made.where(user_group="team")] *= 5
    store(database, made)

    found = ask(database, "spend")

    assert found.slices[0].dims == {"user_group": "team"}
    assert found.before == pytest.approx(made.cost_n[~made.now].sum() / 4)
    assert found.after == made.cost_n[made.now].sum()
    assert adds_up(found)
    assert "Amounts of the window before are scaled to the length of the one after." in found.notes


def test_refusals_in_one_language(database: Database) -> None:
    """Calls have their request's language; the issue that grew is named with what was to be expected of it."""
    made = traffic(4, 2_000, 1_000)
    language = np.array(["ja" if number % 5 == 0 else "en" for number in range(3_000)])
    refused = (np.random.default_rng(4).random(3_000) < 0.01) | ((language == "ja") & made.now & (made.codes[:, 0] < 2))
    made.failure[:] = ["refusal" if one else "" for one in refused]
    store(database, made)
    store_languages(database, made, language.tolist())

    found = ask(database, "refusal_rate")

    assert "ja" in found.slices[0].dims.values()
    assert [(one.title, one.before, one.after) for one in found.failures] == [
        ("refusal of the model", refused[~made.now].sum(), refused[made.now].sum())
    ]
    assert found.failures[0].expected == pytest.approx(refused[~made.now].sum() / 2)
    assert {one.detail for one in found.bad} == {"refusal of the model"}


def test_a_share_that_shifts(database: Database) -> None:
    """Which models answer: there is no total, and slices are told by their part of the traffic."""
    made = traffic(5, 2_000, 1_000)
    place = list(made.values).index("model")
    made.codes[made.now & (np.arange(3_000) % 2 == 0), place] = 2
    store(database, made)

    found = ask(database, "model_mix")

    first = found.slices[0]
    assert (found.before, found.after, found.difference) == (None, None, None)
    assert first.dims in ({"model": "m-3"}, {"provider": "p-3"})
    models = np.array(made.column("model"))
    assert first.before == pytest.approx((models[~made.now] == "m-3").mean(), abs=1e-9)
    assert first.after == pytest.approx((models[made.now] == "m-3").mean(), abs=1e-9)
    assert found.sentence.startswith("Models shifted most at ")


def test_a_quiet_day(database: Database) -> None:
    """Where nothing changed no slice, version or failure is named."""
    store(database, traffic(6, 2_000, 1_000))

    found = ask(database, "error_rate")

    assert (found.slices, found.versions, found.failures) == ([], [], [])
    assert found.sentence.endswith("No slice stands out.")
    assert adds_up(found)


def test_nothing_at_all(database: Database) -> None:
    """Where there is nothing, the answer says so."""
    found = ask(database, "latency")

    assert (found.n_before, found.n_after, found.before, found.slices, found.bad) == (0, 0, None, [], [])
    assert found.sentence == "There is too little to compare. No slice stands out."
    assert found.notes[0] == "Few events: 0 before, 0 after."


def test_filters_hold(database: Database) -> None:
    """With a filter only that traffic is explained, and the filter goes on into the list of traces."""
    made = traffic(7, 2_000, 1_500)
    fail(made, made.where(route="agent"), 0.5, 1)
    fail(made, made.where(route="chat", release="r2"), 0.4, 2)
    store(database, made)

    found = ask(database, "error_rate", Where(route=("chat",)))

    assert found.slices[0].dims == {"release": "r2"}
    assert found.slices[0].filters == {"route": ["chat"], "release": ["r2"], "status": ["error"]}
    assert found.n_after == made.where(route="chat").sum()


def test_slices_that_balance(database: Database) -> None:
    """Where one slice rose by what another fell, nothing is said to come from either."""
    made = traffic(10, 2_000, 2_000)
    made.cost_n[made.where(user_group="team")] *= 2
    total = made.cost_n[made.now].sum() - made.cost_n[~made.now].sum() * 0.25
    free = made.where(user_group="free")
    made.cost_n[free] -= int(total // free.sum())
    store(database, made)

    found = ask(database, "spend")

    assert found.slices
    assert "That may be chance, but it moved in " in found.sentence


def test_other_projects_are_never_seen(database: Database) -> None:
    """A change in one project is none in another."""
    made = traffic(8, 600, 300)
    quiet = replace(made, failed=made.failed.copy())
    fail(made, made.now, 0.9, 3)
    store(database, made, project="loud")
    store(database, quiet)

    found = ask(database, "error_rate")

    assert (found.n_before, found.n_after) == (600, 300)
    assert found.after == pytest.approx(quiet.failed[quiet.now].mean())


def test_an_old_version_is_not_new(database: Database) -> None:
    """A version that was seen a week ago, or with which the project began, is not named."""
    made = traffic(9, 600, 300, new=[("release", "r3")])
    store(database, made)
    late = Window(AFTER.start + HOUR, AFTER.end)
    much_later = Window(AFTER.start + 48 * HOUR, AFTER.start + 49 * HOUR)

    def versions(after: Window) -> list[str]:
        found = what_changed(database, Question("default", signal_named("latency"), BEFORE, after))
        return [one.value for one in found.versions]

    assert versions(late) == ["r3"]
    assert versions(much_later) == []
    first = what_changed(
        database,
        Question("default", signal_named("latency"), Window(BEFORE.start - HOUR, BEFORE.start), BEFORE),
    )
    assert [one.value for one in first.versions] == []
    assert first.start == CHANGE - timedelta(hours=24)
