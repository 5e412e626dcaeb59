"""Clusters of unit vectors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.kmeans import kmeans, nearest


def _rows(seed: int, n: int, dimensions: int = 8) -> Floats:
    return unit(np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32))


def test_separate_groups_are_found() -> None:
    """Three tight groups of different sizes get a centre each, the largest first."""
    rng = np.random.default_rng(5)
    middles = np.eye(3, 8, dtype=np.float32)
    sizes = [20, 50, 30]
    rows = unit(np.repeat(middles, sizes, axis=0) + rng.normal(scale=0.05, size=(sum(sizes), 8)).astype(np.float32))
    centres = kmeans(rows, 3, rng)

    assert [1, 2, 0] == list(nearest(centres, middles)[0])
    assert [50, 30, 20] == list(np.bincount(nearest(rows, centres)[0]))


@given(st.integers(0, 1_000), st.integers(1, 60), st.integers(1, 12))
def test_every_centre_has_rows(seed: int, n: int, clusters: int) -> None:
    """Centres are unit vectors, no more than asked, none without a row; the same seed gives the same ones."""
    rows = _rows(seed, n)
    centres = kmeans(rows, clusters, np.random.default_rng(seed))

    assert 1 <= len(centres) <= min(clusters, n)
    assert np.allclose(1.0, np.linalg.norm(centres, axis=1), atol=1e-5)
    assert set(range(len(centres))) == set(nearest(rows, centres)[0])
    assert np.array_equal(centres, kmeans(rows, clusters, np.random.default_rng(seed)))


def test_equal_rows_are_one_cluster() -> None:
    """Texts that are all the same make one cluster, however many are asked for."""
    assert 1 == len(kmeans(np.repeat(_rows(1, 1), 40, axis=0), 32, np.random.default_rng(1)))
