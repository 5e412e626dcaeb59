"""Clusters of unit vectors: spherical k-means with k-means++ seeding (Arthur and Vassilvitskii, 2007)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from spanwise_collector.texts.embed import Floats, unit

ITERATIONS: Final = 15
_ROWS: Final = 8_192


def kmeans(rows: Floats, clusters: int, rng: np.random.Generator) -> Floats:
    """Unit centres of clusters, the largest first.

    Args:
        rows: unit vectors [n, dimensions].
        clusters: how many at most; there are never more than different rows.
        rng: where the seeds come from.

    Returns:
        Centres [k, dimensions] with k <= clusters, each the nearest of at least one row.
    """
    centres = _seeds(rows, clusters, rng)
    for _ in range(ITERATIONS):
        own = nearest(rows, centres)[0]
        members = csr_array((np.ones(len(rows), np.float32), (own, np.arange(len(rows)))), (len(centres), len(rows)))
        sums = members @ rows
        filled = np.linalg.norm(sums, axis=1) > 0
        moved = unit(sums[filled])
        if len(moved) == len(centres) and np.allclose(moved, centres, atol=1e-5):
            break
        centres = moved
    sizes = np.bincount(nearest(rows, centres)[0], minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    kept: Floats = centres[order[sizes[order] > 0]]
    return kept


def nearest(rows: Floats, centres: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Each row's nearest centre by cosine, and that cosine.

    Args:
        rows: unit vectors [n, dimensions].
        centres: unit vectors [k, dimensions], k >= 1.
    """
    own = np.empty(len(rows), np.int64)
    cosine = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), _ROWS):
        likeness = rows[start : start + _ROWS] @ centres.T
        own[start : start + _ROWS] = likeness.argmax(axis=1)
        cosine[start : start + _ROWS] = likeness.max(axis=1)
    return own, cosine


def _seeds(rows: Floats, clusters: int, rng: np.random.Generator) -> Floats:
    """Rows far from one another: each is drawn with a probability that grows with the distance from those before."""
    picked = [int(rng.integers(len(rows)))]
    distance = np.maximum(0.0, 1.0 - (rows @ rows[picked[0]]).astype(np.float64))
    while len(picked) < clusters and distance.max() > 1e-6:
        picked.append(int(rng.choice(len(rows), p=distance / distance.sum())))
        distance = np.minimum(distance, np.maximum(0.0, 1.0 - rows @ rows[picked[-1]]))
    seeds: Floats = rows[picked].copy()
    return seeds
