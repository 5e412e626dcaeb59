"""How much days differ, and windows put together from them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.texts.days import day_ratio, day_spread, excess, window_weights

GROUPS = 10


def _sample(rng: np.random.Generator, variation: float, days: int, of_day: int) -> tuple[np.ndarray, np.ndarray]:
    """Groups of texts, with a mix of their own each day, and their days."""
    groups = []
    for _ in range(days):
        mix = rng.gamma(variation**-2, variation**2, GROUPS) if variation else np.ones(GROUPS)
        groups.append(rng.choice(GROUPS, of_day, p=mix / mix.sum()))
    return np.concatenate(groups), np.repeat(np.arange(days), of_day)


def test_days_that_differ() -> None:
    """What days add to a group's share is found again: its spread over windows is that of the true mix."""
    rng = np.random.default_rng(3)
    groups, days = _sample(rng, 0.4, 28, 400)
    spread = day_spread(groups, groups, days)
    weights = window_weights(spread, groups, groups, 500, 1, rng)
    shares = np.stack([weights[:, groups == group].sum(axis=1) for group in range(GROUPS)], axis=1)
    usual = np.bincount(groups) / len(groups)

    # A gamma mix of ten, normalised, has a coefficient of variation of about 0.4 * sqrt(0.9).
    assert 0.30 < float(np.sqrt(((shares / usual - 1) ** 2).mean())) < 0.46


def test_days_that_are_alike() -> None:
    """Without differences between days the windows have the reference's mix, nearly: counting noise is taken off."""
    rng = np.random.default_rng(4)
    groups, days = _sample(rng, 0.0, 14, 300)
    weights = window_weights(day_spread(groups, groups, days), groups, groups, 500, 1, rng)
    shares = np.stack([weights[:, groups == group].sum(axis=1) for group in range(GROUPS)], axis=1)
    noise = np.sqrt(0.1 * 0.9 / 300)

    assert float(shares.std(axis=0).mean()) < 0.6 * noise


def test_a_longer_window_averages_days() -> None:
    """The mixes of a week stray less than those of a day."""
    rng = np.random.default_rng(5)
    groups, days = _sample(rng, 0.4, 14, 400)
    spread = day_spread(groups, groups, days)
    day, week = (window_weights(spread, groups, groups, 800, span, rng)[:, groups == 0].sum(axis=1) for span in (1, 7))

    assert 0.25 < week.std() / day.std() < 0.55


def test_too_few_days() -> None:
    """Of one day, or of days with a handful of texts, nothing is said: every text has the same weight."""
    groups = np.arange(200) % GROUPS
    for days in (np.zeros(200, np.int64), np.arange(200) // 5):
        spread = day_spread(groups, groups, days)
        assert spread is None
        assert np.allclose(1 / 200, window_weights(spread, groups, groups, 3, 1, np.random.default_rng(1)))


@given(st.lists(st.floats(0, 20), min_size=2, max_size=40), st.integers(3, 28))
def test_shrinking_keeps_the_order(ratios: list[float], days: int) -> None:
    """No excess is negative, and a group with a larger ratio never has a smaller one."""
    found = excess(np.array(ratios), days)

    assert (found >= 0).all()
    assert (np.diff(found[np.argsort(ratios)]) >= -1e-9).all()


def test_ratio_of_columns() -> None:
    """An average that strays between days has a high ratio; one that does not has about 1."""
    rng = np.random.default_rng(6)
    days = np.repeat(np.arange(20), 200)
    calm = rng.normal(size=4_000)
    moved = rng.normal(size=4_000) + rng.normal(scale=0.5, size=20)[days]
    columns = np.stack([calm, moved], axis=1)
    sums = np.stack([columns[days == day].sum(axis=0) for day in range(20)])
    ratio = day_ratio(sums, np.bincount(days), columns.var(axis=0))

    assert 0.4 < ratio[0] < 2.0 < 20 < ratio[1] < 90
    assert [1.0, 1.0] == list(day_ratio(sums[:1], np.array([200]), columns.var(axis=0)))
