"""The usual fixed rules for drift of embeddings, with the thresholds that libraries and guides give."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.texts.embed import Floats, unit
from spanwise_collector.texts.kmeans import nearest
from spanwise_collector.texts.reference import Layout, ReferenceModel

Rule = Callable[[ReferenceModel, Floats, Floats, np.random.Generator], bool]
JS: Final = 0.1
PSI: Final = 0.2
COSINE: Final = 0.01
AUC: Final = 0.55
_FOLDS: Final = 2
_REFERENCE: Final = 2_000
"""Texts of the reference that the classifier sees."""
_RIDGE: Final = 1e-2
_FLOOR: Final = 1e-4


def _shares(model: ReferenceModel, window: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of the clusters, in the reference and in the window."""
    own = nearest(unit(window - model.mean), model.centres)[0]
    counts = np.bincount(own, minlength=len(model.centres))
    usual = model.usual[Layout.of(model).clusters].astype(np.float64)
    return np.maximum(usual, _FLOOR), np.maximum(counts / len(window), _FLOOR)


def js(model: ReferenceModel, _reference: Floats, window: Floats, _rng: np.random.Generator) -> bool:
    """Jensen-Shannon distance of the cluster shares above 0.1."""
    p, q = _shares(model, window)
    middle = (p + q) / 2
    divergence = 0.5 * (p * np.log2(p / middle)).sum() + 0.5 * (q * np.log2(q / middle)).sum()
    return bool(np.sqrt(max(divergence, 0.0)) > JS)


def psi(model: ReferenceModel, _reference: Floats, window: Floats, _rng: np.random.Generator) -> bool:
    """Population stability index of the cluster shares above 0.2."""
    p, q = _shares(model, window)
    return bool(((q - p) * np.log(q / p)).sum() > PSI)


def centroid(_model: ReferenceModel, reference: Floats, window: Floats, _rng: np.random.Generator) -> bool:
    """Cosine distance of the centroids above 0.01."""
    old, new = unit(np.stack([reference.mean(axis=0), window.mean(axis=0)]))
    return bool(1.0 - float(old @ new) > COSINE)


def classifier(_model: ReferenceModel, reference: Floats, window: Floats, rng: np.random.Generator) -> bool:
    """A linear classifier tells window from reference with an area under the curve above 0.55, cross-validated."""
    old = reference[rng.permutation(len(reference))[:_REFERENCE]]
    rows = np.concatenate([old, window])
    is_new = np.repeat([False, True], [len(old), len(window)])
    fold = rng.integers(_FOLDS, size=len(rows))
    scores = np.empty(len(rows))
    for number in range(_FOLDS):
        train = fold != number
        centre = rows[train].mean(axis=0)
        x = rows[train] - centre
        weight = np.where(is_new[train], 1 / is_new[train].sum(), -1 / (~is_new[train]).sum())
        direction = np.linalg.solve(x.T @ x / len(x) + _RIDGE * np.eye(x.shape[1]) / x.shape[1], x.T @ weight)
        scores[~train] = (rows[~train] - centre) @ direction
    ranks = np.argsort(np.argsort(scores)) + 1
    n_new, n_old = int(is_new.sum()), int((~is_new).sum())
    area = (ranks[is_new].sum() - n_new * (n_new + 1) / 2) / (n_new * n_old)
    return bool(area > AUC)


RULES: Final[dict[str, Rule]] = {
    "JS > 0.1": js,
    "PSI > 0.2": psi,
    "centroid > 0.01": centroid,
    "classifier AUC > 0.55": classifier,
}
