"""Whether a window of texts is still like the reference: four statistics, one calibrated p-value.

Each column of `texts.reference` is averaged over the window and standardised; then

- novelty: the greatest of the standardised novelty shares (upwards only);
- neighbourhood: the standardised growth around the five known texts where it is greatest (upwards only);
- cluster: the greatest standardised change of a cluster's share, either way;
- centroid: the squared distance of the centroids.

Windows put together from the reference's own days (`texts.days`) say how large each of them is when nothing has
changed. The four are combined as the smallest p-value over its weight, calibrated on the same windows (Westfall and
Young, 1993), which keeps the false-alarm rate whatever the dependence between them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.texts.days import window_weights
from spanwise_collector.texts.embed import Floats
from spanwise_collector.texts.reference import Layout, ReferenceModel, columns

WINDOWS: Final = 1_000
TOP: Final = 5
MIN_WINDOW: Final = 500
WEIGHTS: Final = {"novelty": 0.07, "neighbourhood": 0.75, "cluster": 0.15, "centroid": 0.03}
_TAIL: Final = 0.05
_SMALLEST: Final = 1e-300
_AT_ONCE: Final = 250

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What windows of one size look like when nothing has changed.

    Attributes:
        n: texts of a window.
        spread: standard deviation of each column between texts.
        sd: of the difference between a window's and the reference's average of each column, days' differences included.
        statistics: by name, of each of the windows.
        combined: minus the logarithm of the combination, of each of the windows.
    """

    n: int
    spread: Doubles
    sd: Doubles
    statistics: dict[str, Doubles]
    combined: Doubles


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window against the reference.

    Attributes:
        p_value: of the combination: how often a window in which nothing has changed looks at least as different. Below
            5 % it is extrapolated with an exponential tail, so that it can be smaller than one in `WINDOWS`.
        p_values: of each statistic by itself.
        z: standardised difference of each column.
        mean: of each column over the window.
    """

    p_value: float
    p_values: dict[str, float]
    z: Doubles
    mean: Doubles


def baseline(
    model: ReferenceModel, n: int, rng: np.random.Generator, *, span_days: int = 1, windows: int = WINDOWS
) -> Baseline:
    """Calibrate for windows of a size.

    Each pseudo-window draws n texts of the sample with the mix of `span_days` of the reference's days. The reference's
    own error counts as well.

    Args:
        model: the reference.
        n: texts of the window that is to be judged.
        rng: draws windows; the same one gives the same baseline.
        span_days: how many days the window covers, at least 1.
        windows: how many are drawn.
    """
    placed = model.sampled()
    found = columns(model, placed, known_first=True)
    broad, fine = model.groups(placed)
    differences = np.concatenate(
        [
            _differences(
                found,
                window_weights(model.spread, broad, fine, some, span_days, rng),
                n,
                model.n_fit / len(found),
                rng,
            )
            for some in _batches(windows)
        ]
    )
    spread = np.sqrt(model.variance.astype(np.float64))
    counting = model.variance * (1.0 / n + 1.0 / model.n_fit)
    seen = np.sqrt(np.maximum((differences**2).mean(axis=0), np.maximum(counting / 4, 1.0 / n**2)))
    statistics = _statistics(differences / seen, spread, Layout.of(model))
    # Groups are coarser than columns: what a column's days do beyond that widens it alone.
    of_days = model.day_variance * (1.0 / span_days + 1.0 / max(1, model.n_days))
    sd = np.maximum(seen, np.sqrt(counting + of_days))
    ranked = {name: _p_values(values, values) for name, values in statistics.items()}
    return Baseline(n, spread, sd, statistics, _combined(ranked))


def compare(model: ReferenceModel, usual: Baseline, embeddings: Floats) -> Comparison:
    """Judge a window.

    Args:
        model: the reference.
        usual: its baseline for windows of this size.
        embeddings: of the window's texts [n, dimensions].
    """
    mean = columns(model, model.place(embeddings)).mean(axis=0, dtype=np.float64)
    z = (mean - model.usual) / usual.sd
    statistics = _statistics(z[np.newaxis], usual.spread, Layout.of(model))
    p_values = {name: _p_values(values, usual.statistics[name]) for name, values in statistics.items()}
    combined = _p_values(_combined(p_values), usual.combined)
    return Comparison(float(combined[0]), {name: float(values[0]) for name, values in p_values.items()}, z, mean)


def _batches(windows: int) -> list[int]:
    return [min(_AT_ONCE, windows - start) for start in range(0, windows, _AT_ONCE)]


def _differences(found: Floats, weights: Doubles, n: int, texts_per_row: float, rng: np.random.Generator) -> Doubles:
    """Each window's averages less those of the sample."""
    size = len(found)
    # What the reference was drawn from is known up to an error: the Bayesian bootstrap (Rubin, 1981) draws with it.
    # Each row of the sample stands for `texts_per_row` texts of the reference.
    error = rng.standard_gamma(texts_per_row, size=weights.shape)
    edges = np.cumsum(weights * error, axis=1)
    drawn = np.empty((len(weights), size), np.float32)
    for row, edge in zip(drawn, edges, strict=True):
        window = np.searchsorted(edge, rng.random(n) * edge[-1], side="right")
        row[:] = np.bincount(np.minimum(window, size - 1), minlength=size)
    differences: Doubles = (drawn @ found).astype(np.float64) / n - found.mean(axis=0, dtype=np.float64)
    return differences


def _statistics(z: Doubles, spread: Doubles, layout: Layout) -> dict[str, Doubles]:
    return {
        "novelty": z[:, layout.novelty].max(axis=1),
        "neighbourhood": np.partition(z[:, layout.neighbourhoods], -TOP, axis=1)[:, -TOP:].mean(axis=1),
        "cluster": np.abs(z[:, layout.clusters]).max(axis=1),
        "centroid": ((z * spread)[:, layout.position] ** 2).sum(axis=1),
    }


def _combined(p_values: dict[str, Doubles]) -> Doubles:
    smallest = np.min([p_values[name] / weight for name, weight in WEIGHTS.items()], axis=0)
    logarithm: Doubles = -np.log(smallest)
    return logarithm


def _p_values(values: Doubles, usual: Doubles) -> Doubles:
    """How often the usual ones are at least as large; in the upper tail from an exponential fit to the excesses."""
    ordered = np.sort(usual)
    above = len(ordered) - np.searchsorted(ordered, values, side="left")
    counted = np.clip(above / len(ordered), 1.0 / len(ordered), 1.0)
    edge = float(np.quantile(ordered, 1.0 - _TAIL))
    excess = float((ordered[ordered > edge] - edge).mean()) if ordered[-1] > edge else 1.0
    tail = np.maximum(_TAIL * np.exp(-np.maximum(values - edge, 0.0) / excess), _SMALLEST)
    result: Doubles = np.where(values > edge, tail, np.maximum(counted, _TAIL))
    return result
