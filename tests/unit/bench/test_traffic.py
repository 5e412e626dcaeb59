"""The simulator: what is put into a stream is in it, and nothing else changes."""

from itertools import pairwise

import numpy as np
import pytest

from bench.traffic import (
    BIN_LOG,
    DIMENSIONS,
    ERROR_CLASSES,
    Columns,
    Grid,
    Injection,
    Nuisance,
    Plan,
    Rollout,
    columns,
    draw,
    requests,
)
from bench.traffic.__main__ import main

PLAN = Plan(seed=3, per_day=2_000, days=14)
DRAWS = draw(PLAN)
PLAIN = columns(DRAWS)


def _same_before(made: Columns, hour: float) -> bool:
    early = PLAIN.hours < hour
    return all(
        np.array_equal(getattr(made, name)[early], getattr(PLAIN, name)[early], equal_nan=name == "score")
        for name in ("latency_ms", "input_tokens", "cost_usd", "error", "refusal", "score")
    )


def test_the_same_plan_is_the_same_traffic() -> None:
    """Seed and size decide everything; another seed is another stream."""
    again = columns(draw(PLAN))

    np.testing.assert_array_equal(again.latency_ms, PLAIN.latency_ms)
    assert draw(Plan(seed=4, per_day=2_000, days=14)).size != DRAWS.size


def test_traffic_has_its_size_its_seasons_and_its_usual_shares() -> None:
    """Weekdays have about what was asked for, weekends half, nights less than afternoons, values their shares."""
    by_day = np.bincount((PLAIN.hours // 24).astype(int), minlength=14)
    hour = PLAIN.hours % 24
    weekdays = [day for day in range(14) if day % 7 < 5]

    assert 1_600 < by_day[weekdays].mean() < 2_400
    assert by_day[[5, 6, 12, 13]].mean() < 0.6 * by_day[weekdays].mean()
    assert (abs(hour - 3) < 2).sum() < 0.4 * (abs(hour - 15) < 2).sum()
    for name, shares in DIMENSIONS.items():
        found = np.bincount(PLAIN.codes[name], minlength=len(shares)) / DRAWS.size
        np.testing.assert_allclose(found, list(shares.values()), atol=0.04)


@pytest.mark.parametrize(
    ("injection", "column", "factor"),
    [
        (Injection("latency", 1.3, 200.0), "latency_ms", 1.3),
        (Injection("tokens", 1.2, 200.0), "input_tokens", 1.2),
        (Injection("cost", 1.5, 200.0), "cost_usd", 1.5),
        (Injection("error", 4.0, 200.0), "error", 4.0),
        (Injection("refusal", 3.0, 200.0), "refusal", 3.0),
    ],
)
def test_a_regression_multiplies_its_column_from_its_start_on(injection: Injection, column: str, factor: float) -> None:
    """Before its start everything is as it was."""
    made = columns(DRAWS, [injection])
    late = PLAIN.hours >= 200.0
    ratio = getattr(made, column)[late].mean() / getattr(PLAIN, column)[late].mean()

    assert _same_before(made, 200.0)
    assert abs(ratio / factor - 1.0) < 0.15
    assert made.hit.tolist() == late.tolist()


def test_a_regression_keeps_to_its_slice_its_share_and_its_end() -> None:
    """Only a part of one model's requests is slow, for a day."""
    where = {"model": "gpt-4.1", "route": "chat"}
    made = columns(DRAWS, [Injection("latency", 4.0, 200.0, end_h=224.0, where=where, share=0.5)])
    of_slice = (PLAIN.codes["model"] == PLAIN.values["model"].index("gpt-4.1")) & (PLAIN.codes["route"] == 0)
    during = of_slice & (PLAIN.hours >= 200.0) & (PLAIN.hours < 224.0)

    assert 0.35 < made.hit[during].mean() < 0.65
    assert not made.hit[~during].any()
    np.testing.assert_allclose(made.latency_ms[made.hit], 4.0 * PLAIN.latency_ms[made.hit])
    np.testing.assert_array_equal(made.latency_ms[~made.hit], PLAIN.latency_ms[~made.hit])


def test_scores_fall_mixes_shift_and_requests_vanish() -> None:
    """The three that are no factor of a column."""
    late = PLAIN.hours >= 200.0
    worse = columns(DRAWS, [Injection("score", -0.05, 200.0)])
    mixed = columns(DRAWS, [Injection("mix", 0.3, 200.0, dimension="language", to="ja")])
    fewer = columns(DRAWS, [Injection("volume", 0.5, 200.0)])
    japanese = PLAIN.values["language"].index("ja")

    assert -0.051 < np.nanmean(worse.score[late]) - np.nanmean(PLAIN.score[late]) < -0.04
    assert 0.28 < (mixed.codes["language"][late] == japanese).mean() < 0.42
    assert abs((fewer.hours >= 200.0).sum() / late.sum() - 0.5) < 0.05
    assert (fewer.hours < 200.0).sum() == (~late).sum()


def test_a_rollout_is_unknown_before_it_begins() -> None:
    """From then on it has its share, and regressions can be put into it."""
    plan = Plan(seed=5, per_day=2_000, days=3, rollouts=(Rollout("prompt_version", "v9", 36.0, 0.4),))
    made = columns(draw(plan), [Injection("refusal", 10.0, 36.0, where={"prompt_version": "v9"})])
    new = made.codes["prompt_version"] == made.values["prompt_version"].index("v9")

    assert not new[made.hours < 36.0].any()
    assert 0.35 < new[made.hours >= 36.0].mean() < 0.45
    assert made.refusal[new].mean() > 4 * made.refusal[~new].mean()


def test_nuisances_change_the_traffic_and_leave_the_errors() -> None:
    """A gap has no requests, a surge three times as many, a launch many new users, a holiday fewer requests."""
    kinds = (Nuisance("gap", 1), Nuisance("surge", 2), Nuisance("launch", 8), Nuisance("holiday", 9))
    made = columns(draw(Plan(seed=3, per_day=2_000, days=14, nuisances=kinds)))
    by_day = np.bincount((made.hours // 24).astype(int), minlength=14)
    gap = (made.hours >= 31) & (made.hours < 40)
    launch = (made.hours >= 8 * 24 + 9) & (made.hours < 8 * 24 + 19)

    assert not gap.any()
    assert by_day[2] > 2 * by_day[7]
    assert by_day[9] < 0.6 * by_day[10]
    assert (made.codes["user_group"][launch] == 0).mean() > 0.8
    assert abs(made.error.mean() - PLAIN.error.mean()) < 0.01


def test_roll_ups_are_the_sums_of_the_requests() -> None:
    """Counts, sums, squares and histograms by step add up to the columns; unknown scores do not count."""
    grid = Grid(PLAIN, PLAN.days, 0.5)
    scores, latency = grid.sums(PLAIN.score), grid.sums(np.log(PLAIN.latency_ms))
    histograms = grid.histograms(PLAIN.latency_ms)
    known = ~np.isnan(PLAIN.score)

    assert grid.events().sum() == histograms.sum() == latency.n.sum() == DRAWS.size
    assert grid.events(PLAIN.error).sum() == PLAIN.error.sum()
    assert scores.n.sum() == known.sum()
    np.testing.assert_allclose(scores.total.sum(), PLAIN.score[known].sum())
    np.testing.assert_allclose(latency.squares.sum(), (np.log(PLAIN.latency_ms) ** 2).sum())
    middles = (np.arange(histograms.shape[1]) + 0.5) * BIN_LOG
    np.testing.assert_allclose((histograms @ middles).sum(), latency.total.sum(), rtol=0.005)
    np.testing.assert_array_equal(grid.events()[:48], np.histogram(PLAIN.hours, np.arange(0, 24.5, 0.5))[0])


def test_requests_are_the_columns_one_by_one() -> None:
    """In order of time, with words instead of codes."""
    made = list(requests(PLAN, PLAIN))
    first = made[0]

    assert len(made) == DRAWS.size
    assert all(one.time <= other.time for one, other in pairwise(made))
    assert sum(bool(one.error) for one in made) == PLAIN.error.sum()
    assert {one.error for one in made} == {"", *ERROR_CLASSES}
    assert set(first.dimensions) == set(DIMENSIONS)
    assert first.dimensions["model"] == PLAIN.values["model"][PLAIN.codes["model"][0]]
    assert all(one.output_tokens == 0 for one in made if one.error)
    assert sum(one.score is not None for one in made) == int((~np.isnan(PLAIN.score)).sum())


def test_the_command_prints_requests_and_roll_ups_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, the header first."""
    main(["--per-day", "200", "--days", "1", "--limit", "3"])
    rows = capsys.readouterr().out.splitlines()
    main(["--per-day", "200", "--days", "1", "--hourly"])
    hours = capsys.readouterr().out.splitlines()

    assert rows[0].startswith("time,model,prompt_version")
    assert len(rows) == 4
    assert hours[0] == "time,requests,errors,refusals,latency_log_mean,cost_usd,score_mean"
    assert len(hours) == 25
