"""From observations and a baseline to standardised residuals, and what a change would add to them."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from spanwise_collector.stats.arrays import Bools, Floats, ratio
from spanwise_collector.stats.baseline import Baseline, unhappened
from spanwise_collector.stats.seasons import Steps
from spanwise_collector.stats.transforms import Values

CLIP: Final = 6.0
"""One step says no more than so many standard deviations: a single wild step is not a lasting change."""
MIN_TAU2: Final = 1e-4


@dataclass(frozen=True, slots=True)
class Counts:
    """What the likelihood of a count needs.

    Attributes:
        k: events, [series, time].
        expected: by the baseline, [series, time].
        tau: standard deviation of the slow variation of the logarithm, [series].
    """

    k: Floats
    expected: Floats
    tau: Floats

    def __getitem__(self, when: slice) -> "Counts":
        """A stretch of time."""
        return Counts(self.k[:, when], self.expected[:, when], self.tau)


@dataclass(frozen=True, slots=True)
class Residuals:
    """Input of the detectors.

    Attributes:
        z: standardised residual, about N(0, 1) while nothing changes, [series, time].
        latent: share of z's variance that is a slowly varying level, not sampling, [series, time].
        shift: what a change of each tested size adds to z, [series, time, sizes].
        support: what a decision needs a minimum of: events of a mean, the rarer outcomes of a rate, [series, time].
        seen: False where the step has no observation.
        phi: correlation of the slowly varying level from one step to the next, [series].
        counts: of rates and counts; None for means.
    """

    z: Floats
    latent: Floats
    shift: Floats
    support: Floats
    seen: Bools
    phi: Floats
    counts: Counts | None = None

    def __getitem__(self, when: slice) -> "Residuals":
        """A stretch of time."""
        z, latent, shift, support = (part[:, when] for part in (self.z, self.latent, self.shift, self.support))
        counts = self.counts[when] if self.counts else None
        return Residuals(z, latent, shift, support, self.seen[:, when], self.phi, counts)

    def only(self, known: Bools) -> "Residuals":
        """With steps taken for unseen where nothing was recorded."""
        return replace(self, seen=self.seen & known)


def mean_residuals(values: Values, baseline: Baseline, steps: Steps, tested: Floats) -> Residuals:
    """Of a mean.

    Args:
        values: y and n.
        baseline: of kind "mean".
        steps: the times.
        tested: changes to test for, in units of y, [series, sizes].
    """
    seen = values.n > 0
    sampling = baseline.within[:, None] / np.where(seen, values.n, 1.0)
    latent = baseline.tau2[:, None]
    deviation = np.sqrt(sampling + latent)
    y = values.y + sampling / 2.0 if values.is_log_of_mean else values.y
    z = np.where(seen, np.clip((y - baseline.expected(steps)) / deviation, -CLIP, CLIP), 0.0)
    shift = tested[:, None, :] / deviation[:, :, None]
    return Residuals(z, latent / (sampling + latent), shift, values.n, seen, baseline.phi**steps.hours)


def count_residuals(k: Floats, exposure: Floats, baseline: Baseline, steps: Steps, tested: Floats) -> Residuals:
    """Of a rate or a count: deviance residuals of a negative binomial count, near to normal even for small counts.

    Args:
        k: events.
        exposure: requests of a rate; hours of a count; 0 where the step is unknown.
        baseline: of kind "rate" or "count".
        steps: the times.
        tested: changes to test for, as logarithm of the factor, [series, sizes].
    """
    seen = exposure > 0
    exposed = np.where(seen, exposure, 1.0)
    expected = exposed * np.exp(baseline.expected(steps))
    tau2 = np.maximum(baseline.tau2, MIN_TAU2)[:, None]
    sampling = unhappened(expected, exposed, baseline.kind)
    scale = np.sqrt((1.0 + expected * tau2) / (sampling + expected * tau2))
    z = np.where(seen, np.clip(scale * deviance(np.where(seen, k, 0.0), expected, tau2), -CLIP, CLIP), 0.0)
    changed = expected[:, :, None] * np.exp(tested)[:, None, :]
    added = scale[:, :, None] * deviance(changed, expected[:, :, None], tau2[:, :, None])
    latent = expected * tau2 / (sampling + expected * tau2)
    counts = Counts(np.where(seen, k, 0.0), expected, np.sqrt(tau2[:, 0]))
    return Residuals(z, latent, np.clip(added, -CLIP, CLIP), k, seen, baseline.phi**steps.hours, counts)


def deviance(k: Floats, expected: Floats, tau2: Floats) -> Floats:
    """Signed root of twice the log-likelihood ratio of a negative binomial count (McCullagh and Nelder, 2.4.3)."""
    surplus = (k + 1.0 / tau2) * np.log1p((k - expected) * tau2 / (1.0 + expected * tau2))
    twice = 2.0 * (k * np.log(ratio(k, expected, 1.0) + (k <= 0)) - surplus)
    return np.sign(k - expected) * np.sqrt(np.maximum(twice, 0.0))
