"""Fitting a reference: what its clusters, known texts, averages and days are."""

from dataclasses import replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from spanwise_collector.texts.days import MIN_TEXTS_OF_DAY, day_ratio, day_spread, excess
from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.kmeans import kmeans, nearest
from spanwise_collector.texts.reference import LEVELS, Integers, Layout, Placed, ReferenceModel, columns

MAX_FIT: Final = 20_000
MAX_SAMPLE: Final = 4_000
"""Of these the embeddings are stored: 2 MB."""
MIN_FIT: Final = 500
KNOWN: Final = 2_000
CLUSTERS: Final = 32
NOVELTY_QUANTILES: Final = (0.05, 0.02, 0.01)
_AT_ONCE: Final = 250


def fit(embeddings: Floats, days: Integers, rng: np.random.Generator) -> ReferenceModel:
    """A reference of a project's texts.

    Args:
        embeddings: unit vectors [n, dimensions]; more than `MAX_FIT` are sampled.
        days: the day of each text, as any number that is the same for texts of the same day [n].
        rng: draws the samples and the clusters' seeds; the same one gives the same model.

    Raises:
        ValueError: fewer than `MIN_FIT` texts.
    """
    if len(embeddings) < MIN_FIT:
        raise ValueError(f"{len(embeddings)} texts are too few for a reference; it takes {MIN_FIT}")
    order = rng.permutation(len(embeddings))[:MAX_FIT]
    rows = embeddings[order]
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    # As they are stored, so that they are the same when they are read.
    rows = rows.astype(np.float16).astype(np.float32)
    known = rows[:KNOWN]
    similarity = _similarity_to_others(rows, known)
    position = unit(rows - mean)
    nothing = np.zeros(0, np.float32)
    day = np.unique(days[order], return_inverse=True)[1].astype(np.int64)
    model = ReferenceModel(
        mean=mean,
        centres=kmeans(position, CLUSTERS, rng),
        novel_below=np.quantile(similarity, NOVELTY_QUANTILES).astype(np.float32),
        near=_near(position, len(known)),
        usual=nothing,
        variance=nothing,
        day_variance=nothing,
        broad_days=nothing,
        fine_days=nothing,
        n_fit=len(rows),
        sample=rows[:MAX_SAMPLE].astype(np.float16),
        sample_similarity=similarity[:MAX_SAMPLE],
        sample_day=day[:MAX_SAMPLE].astype(np.int32),
    )
    return _with_days(model, position, similarity, day)


def _with_days(model: ReferenceModel, position: Floats, similarity: Floats, day: Integers) -> ReferenceModel:
    """The model with the averages of its columns over all texts, and how days differ in them."""
    layout = Layout.of(model)
    n = len(position)
    sizes = np.bincount(day)
    sums = np.zeros((len(sizes), layout.width))
    squares = np.zeros(layout.width)
    placed = Placed(position, nearest(position, model.centres)[0], similarity)
    for start in range(0, n, MAX_SAMPLE):
        part = slice(start, start + MAX_SAMPLE)
        some = Placed(position[part], placed.cluster[part], similarity[part])
        found = columns(model, some, known_first=start == 0)
        of_day = csr_array((np.ones(len(found)), (day[part], np.arange(len(found)))), (len(sizes), len(found)))
        sums += of_day @ found
        squares += (found.astype(np.float64) ** 2).sum(axis=0)
    mean = sums.sum(axis=0) / n
    variance = np.maximum(squares / n - mean**2, 0.0)
    usable = sizes >= MIN_TEXTS_OF_DAY
    ratio = day_ratio(sums[usable], sizes[usable], variance)
    beyond = np.concatenate([excess(ratio[part], int(usable.sum())) for part in layout.parts()])
    counting = float((1.0 / sizes[usable]).mean()) if usable.any() else 0.0
    spread = day_spread(*model.groups(placed), day)
    return replace(
        model,
        usual=mean.astype(np.float32),
        variance=variance.astype(np.float32),
        day_variance=(beyond * variance * counting).astype(np.float32),
        broad_days=np.zeros((0, 0), np.float32) if spread is None else spread.broad.astype(np.float32),
        fine_days=np.zeros((0, 0), np.float32) if spread is None else spread.fine.astype(np.float32),
    )


def _similarity_to_others(sample: Floats, known: Floats) -> Floats:
    """Cosine to the nearest known text; for the first of the sample, which are those, to the nearest other one."""
    likeness = known @ known.T
    np.fill_diagonal(likeness, -1.0)
    rest = nearest(sample[len(known) :], known)[1]
    return np.concatenate([likeness.max(axis=1), rest]).astype(np.float32)


def _near(position: Floats, known: int) -> Floats:
    """How close the nearest of all texts are to each known one, the known one itself left out."""
    others = len(position) - 1
    places = [others - max(1, round(level * others)) for level in LEVELS]
    found = np.empty((len(LEVELS), known), np.float32)
    for start in range(0, known, _AT_ONCE):
        end = min(start + _AT_ONCE, known)
        likeness = position @ position[start:end].T
        # The text itself sorts behind all others.
        likeness[np.arange(start, end), np.arange(end - start)] = np.inf
        found[:, start:end] = np.sort(likeness, axis=0)[places]
    return found
