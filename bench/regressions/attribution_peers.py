"""Other ways to find the slices that moved a rate, written from their descriptions."""

from typing import Final

import numpy as np

from spanwise_collector.attribution.leaves import Leaves
from spanwise_collector.attribution.model import Slice
from spanwise_collector.stats.arrays import Floats, ratio

EXPLAINS: Final = 0.1
"""Adtributor's thresholds (TEEP of a value, TEP of all values of a dimension together), as in RiskLoc's comparison."""
DIMENSIONS: Final = 3


def adtributor(leaves: Leaves) -> list[Slice]:
    """Adtributor (Bhagwan et al., NSDI 2014) for a derived measure, here bad events over events.

    Per dimension, values by falling surprise (Jensen-Shannon divergence of their shares, of bad events and of events)
    are taken while each explains a tenth of the change, until a tenth is explained in all; dimensions are ordered by
    the surprise of what was taken.
    """
    bad_before, n_before = leaves.before.total.sum(), leaves.before.n.sum()
    scale = leaves.after.n.sum() / max(float(n_before), 1.0)
    forecast_bad, forecast_n = bad_before * scale, n_before * scale
    found: list[tuple[float, list[Slice]]] = []
    for dim, size in enumerate(leaves.sizes):
        before, after = leaves.before.by(leaves.codes[:, dim], size), leaves.after.by(leaves.codes[:, dim], size)
        bad, n = before.total * scale, before.n * scale
        # The partial derivatives of the ratio, in finite form (equation 5 of the paper).
        power = (after.total - bad) * forecast_n - (after.n - n) * forecast_bad
        power = power / (forecast_n * (forecast_n + after.n - n))
        power = power / power.sum() if power.sum() else power
        surprise = _surprise(bad, after.total) + _surprise(n, after.n)
        taken, explained = [], 0.0
        for value in np.argsort(-surprise, kind="stable"):
            if power[value] > EXPLAINS:
                taken.append(int(value))
                explained += power[value]
            if explained > EXPLAINS:
                found.append((float(surprise[taken].sum()), [leaves.slice_of([dim], [one]) for one in taken]))
                break
    found.sort(key=lambda one: -one[0])
    return [one for _, slices in found[:DIMENSIONS] for one in slices]


def largest_excess(leaves: Leaves) -> list[Slice]:
    """Single values by how many more bad events they have than at their rate before."""
    found: list[tuple[float, Slice]] = []
    for dim, size in enumerate(leaves.sizes):
        before, after = leaves.before.by(leaves.codes[:, dim], size), leaves.after.by(leaves.codes[:, dim], size)
        excess = after.total - after.n * ratio(before.total, before.n)
        found += [(float(excess[value]), leaves.slice_of([dim], [value])) for value in range(size)]
    found.sort(key=lambda one: -one[0])
    return [one for _, one in found]


def _surprise(before: Floats, after: Floats) -> Floats:
    p, q = before / max(float(before.sum()), 1e-300), after / max(float(after.sum()), 1e-300)
    middle = np.maximum((p + q) / 2.0, 1e-300)
    return np.asarray(
        0.5 * (p * np.log(np.maximum(p, 1e-300) / middle) + q * np.log(np.maximum(q, 1e-300) / middle)),
        dtype=np.float64,
    )
