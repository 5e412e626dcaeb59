"""A window of texts against a reference: false alarms, power, and what is stored."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from spanwise_collector.texts.drift import Baseline, baseline, compare
from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.explain import Group, group_members, moved_groups, novelty_change
from spanwise_collector.texts.fitting import fit
from spanwise_collector.texts.reference import ModelFormatError, ReferenceModel, columns

TOPICS = 30
DAYS = 10
N = 500


@dataclass(frozen=True)
class World:
    """Topics as directions with noise around them, and days with mixes of their own."""

    middles: Floats
    variation: float

    def texts(self, rng: np.random.Generator, n: int, mix: np.ndarray | None = None) -> Floats:
        """Embeddings of texts of a day."""
        weights = self.mix(rng) if mix is None else mix
        topics = rng.choice(len(self.middles), n, p=weights / weights.sum())
        noise = rng.normal(scale=0.09, size=(n, self.middles.shape[1]))
        return unit((self.middles[topics] + noise).astype(np.float32))

    def mix(self, rng: np.random.Generator) -> np.ndarray:
        """Weights of the usual topics; the last is not one of them."""
        usual = rng.gamma(self.variation**-2, self.variation**2, TOPICS) if self.variation else np.ones(TOPICS)
        return np.append(usual, 0.0)


@cache
def _fitted(variation: float) -> tuple[World, ReferenceModel, Baseline]:
    rng = np.random.default_rng(11)
    # Topics have something in common, as the texts of one product have.
    middles = unit(unit(rng.normal(size=(TOPICS + 1, 64)).astype(np.float32)) + 0.1)
    world = World(middles, variation)
    days = [world.texts(rng, 300) for _ in range(DAYS)]
    model = fit(np.concatenate(days), np.repeat(np.arange(DAYS), 300), rng)
    return world, model, baseline(model, N, rng, span_days=1 if variation else 2, windows=400)


@pytest.mark.parametrize("variation", [0.0, 0.3])
def test_false_alarms(variation: float) -> None:
    """Windows in which nothing has changed are found about as often as was said, also where days differ."""
    world, model, usual = _fitted(variation)
    rng = np.random.default_rng(12)
    p_values = np.array([compare(model, usual, world.texts(rng, N)).p_value for _ in range(40)])

    # Of 40 at 5 %, more than 7 come up once in seven hundred times.
    assert (p_values <= 0.05).sum() <= 7
    assert 0.2 < np.median(p_values) < 0.9


def test_another_domain() -> None:
    """5 % of texts about something else are found by their novelty, and are shown as a new group."""
    world, model, usual = _fitted(0.0)
    rng = np.random.default_rng(13)
    foreign = np.zeros(TOPICS + 1)
    foreign[-1] = 1.0
    window = np.concatenate([world.texts(rng, N - 25), world.texts(rng, 25, foreign)])
    found = compare(model, usual, window)
    change = novelty_change(model, usual, found)
    texts = [f"usual {number}" for number in range(N - 25)] + [f"planets {number}" for number in range(25)]
    groups = moved_groups(model, usual, found, model.place(window), texts, rng)

    assert found.p_value < 1e-3
    assert "novelty" == min(found.p_values, key=lambda name: found.p_values[name])
    assert change.low < 0.05 < change.high
    assert change.low > 0
    first = groups[0]
    assert ("new", ["planets"]) == (first.kind, [word.word for word in first.words])
    assert set(first.examples) <= set(range(N - 25, N))
    assert 5 == len(first.examples)
    assert first.change.before < 0.005 < 0.03 < first.change.after < 0.06


def test_one_topic_grows() -> None:
    """A topic that gains 5 points is found, and named by texts of its own; more of the same is nothing unknown."""
    world, model, usual = _fitted(0.0)
    rng = np.random.default_rng(14)
    more = np.append(np.ones(TOPICS), 0.0)
    more[7] += 0.05 * TOPICS / 0.95
    window = world.texts(rng, N, more)
    found = compare(model, usual, window)
    placed = model.place(window)
    groups = moved_groups(model, usual, found, placed, [f"text {number}" for number in range(N)], rng)
    is_seven = (window @ world.middles.T).argmax(axis=1) == 7

    assert found.p_value < 0.01
    assert found.p_values["novelty"] > 0.05
    assert groups
    for group in groups:
        assert group.change.low > 0
        assert is_seven[list(group.examples)].all()
        assert np.array_equal(group.members, group_members(model, group, placed, placed))


def test_a_topic_vanishes() -> None:
    """Clusters that are gone are found too, with changes downwards."""
    world, model, usual = _fitted(0.0)
    rng = np.random.default_rng(15)
    less = np.append(np.ones(TOPICS), 0.0)
    less[:5] = 0.0
    window = world.texts(rng, N, less)
    found = compare(model, usual, window)
    groups = moved_groups(model, usual, found, model.place(window), ["text"] * N, rng)
    shrunk: list[Group] = [group for group in groups if group.z < 0]

    assert found.p_value < 0.05
    assert shrunk
    assert all(group.kind == "cluster" and group.change.high < 0 for group in shrunk)


def test_stored_and_read() -> None:
    """A model that was stored judges as the one that was fitted; another format is refused."""
    world, model, usual = _fitted(0.0)
    window = world.texts(np.random.default_rng(16), N)
    again = ReferenceModel.from_text(model.to_text())

    assert compare(model, usual, window).p_value == compare(again, usual, window).p_value
    assert np.array_equal(
        columns(model, model.sampled(), known_first=True), columns(again, again.sampled(), known_first=True)
    )
    with pytest.raises(ModelFormatError, match="format 0, not 1"):
        ReferenceModel.from_text(model.to_text().replace('"format": 1', '"format": 0'))


def test_same_seed_same_model() -> None:
    """Two collectors that fit the same texts get the same model and the same baseline."""
    world, _, _ = _fitted(0.0)
    rows = world.texts(np.random.default_rng(17), 900)
    days = np.arange(900) // 300
    one, other = (fit(rows, days, np.random.default_rng(18)) for _ in range(2))

    assert one.to_text() == other.to_text()
    first, second = (baseline(one, N, np.random.default_rng(19), windows=50) for _ in range(2))
    assert np.array_equal(first.combined, second.combined)


def test_too_few_texts() -> None:
    """A reference takes 500 texts; with one day of them it can be fitted, though nothing is known of days."""
    world, _, _ = _fitted(0.0)
    rows = world.texts(np.random.default_rng(20), 600)

    with pytest.raises(ValueError, match="499 texts are too few for a reference; it takes 500"):
        fit(rows[:499], np.zeros(499, np.int64), np.random.default_rng(21))
    model = fit(rows, np.zeros(600, np.int64), np.random.default_rng(21))
    usual = baseline(model, N, np.random.default_rng(22), windows=50)
    assert 0 < compare(model, usual, rows[:N]).p_value <= 1


def test_everything_is_new() -> None:
    """A window of nothing but another domain has a tiny p-value, never none at all."""
    world, model, usual = _fitted(0.0)
    rng = np.random.default_rng(23)
    foreign = np.zeros(TOPICS + 1)
    foreign[-1] = 1.0

    assert 0 < compare(model, usual, world.texts(rng, N, foreign)).p_value < 1e-20
