"""A judge's mean corrected by what people said of some of the same targets: prediction-powered inference."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.means.intervals import Estimate, quantile, size_of_share, wilson, within
from spanwise_collector.means.sums import Sums, is_yes_no
from spanwise_collector.stats.arrays import Floats

YES_NO_CAUTION: Final = 0.75
"""Disagreements between judge and people that are counted beside those that were seen. Without them a judge that
happens to agree on all of 50 labels would be taken to be always right: intervals then hold the truth in 79 to 85 % of
cases."""
GRADED_CAUTION: Final = 0.3
"""The same for graded scores, as a share of their variance."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Targets that both people and the judge scored; arrays are [n].

    Attributes:
        y: people's value.
        f: the judge's.
        chance: probability with which the target was given to people and to the judge, in (0, 1]: where each chose on
            its own, the product of both.
        judge_chance: probability with which it was given to the judge.
        cluster: number of the cluster that it belongs to, as in `Targets`; None where each stands alone.
    """

    y: Floats
    f: Floats
    chance: Floats
    judge_chance: Floats
    cluster: NDArray[np.int64] | None = None

    def usable(self) -> "Labels":
        """Those with finite values and known chances."""
        keep = np.isfinite(self.y) & np.isfinite(self.f)
        for chance in (self.chance, self.judge_chance):
            keep = keep & (chance > 0) & (chance <= 1)
        cluster = None if self.cluster is None else self.cluster[keep]
        return Labels(self.y[keep], self.f[keep], self.chance[keep], self.judge_chance[keep], cluster)


@dataclass(frozen=True, slots=True)
class Targets:
    """All targets that the judge scored, where those of a cluster (a session, say) are alike; arrays are [n].

    Attributes:
        f: the judge's value, finite.
        chance: probability with which the target was given to the judge, in (0, 1].
        cluster: number of its cluster, from 0.
    """

    f: Floats
    chance: Floats
    cluster: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corrected:
    """A mean that rests on the judge as far as the judge deserves it.

    Attributes:
        estimate: the corrected mean with its 95 % interval.
        people: the mean of people's values alone.
        power: how much the judge is used, 0 (not at all) to 1.
        gain: so many times as many labels alone would have the same interval; 1 where the judge does not help.
        error: standard error of the corrected mean, not cut at the ends of the scale; infinite where it is not known.
        degrees: of freedom of that error.
    """

    estimate: Estimate
    people: Estimate
    power: float
    gain: float
    error: float
    degrees: float


def correct(judge: Sums, labels: Labels, targets: Targets | None = None) -> Corrected:
    """Correct a judge's mean by labels.

    The estimate is mean(y) + power (mean(f of all) - mean(f of labelled)), each mean weighted by inverse probability
    (Hajek), with the power that makes its variance smallest: PPI++ of Angelopoulos, Duchi and Zrnic (arXiv 2311.01453)
    for the mean. Labelled targets are among those that the judge scored, so the variance is the sum over targets of the
    squared influence of each, which counts what is in both sums once; for equal weights estimate and power are those of
    PPI++ over the targets without a label. Where the judge says nothing of what people say the power is 0 and the
    interval that of people alone; it is never wider.

    Args:
        judge: the judge's values over all targets that it scored, those with a label included.
        labels: what people said of some of them, with their clusters where `targets` are given.
        targets: those of `judge`, where they come in clusters: the influences of a cluster are added up before they are
            squared. With each in a cluster of its own nothing changes.

    Returns:
        Without labels, estimates without a mean.
    """
    labels = labels.usable()
    own = Sums.of(labels.y, labels.chance)
    if not own.n:
        nothing = Estimate(None, None, None, 0, 0.0)
        return Corrected(nothing, nothing, 0.0, 1.0, float("inf"), 0.0)
    groups = own.n if labels.cluster is None else int(np.unique(labels.cluster).size)
    effective = min(own.effective, float(groups))
    share = 1 / labels.chance / own.w
    plain = share * (labels.y - own.mean)
    seen = float(share @ labels.f)
    few = own.n < 2 or judge.n < 2
    # Influence of a labelled target on mean(f of all), and on mean(f of labelled).
    of_all = np.zeros_like(plain) if few else (labels.f - judge.mean) / labels.judge_chance / judge.w
    of_labelled = share * (labels.f - seen)
    if targets is None or labels.cluster is None:
        alone = float(plain @ plain)
        spread = judge.variance if judge.n else 0.0
        spread += float(of_labelled @ of_labelled - 2 * of_all @ of_labelled)
        shared = float(plain @ (of_all - of_labelled))
    else:
        every = (targets.f - judge.mean) / targets.chance / judge.w
        size = int(max(targets.cluster.max(), labels.cluster.max())) + 1
        moved = np.bincount(targets.cluster, every, size) - np.bincount(labels.cluster, of_labelled, size)
        of_people = np.bincount(labels.cluster, plain, size)
        alone, spread, shared = float(of_people @ of_people), float(moved @ moved), float(of_people @ moved)
    people, error = _interval(own, own.mean, alone, groups, effective)
    if few:
        return Corrected(people, people, 0.0, 1.0, error, effective - 1)
    spread += _caution(labels) * float(share @ share) / own.n
    power = float(np.clip(-shared / spread, 0.0, 1.0)) if spread > 0 else 0.0
    mean = own.mean + power * (judge.mean - seen)
    found, error = _interval(own, mean, alone + 2 * power * shared + power**2 * spread, groups, effective)
    gain = (people.width / found.width) ** 2 if np.isfinite(people.width) and found.width > 0 else 1.0
    return Corrected(found, people, power, gain, error, effective - 1)


def _caution(labels: Labels) -> float:
    """Squared disagreement that is counted beside what was seen."""
    if is_yes_no(labels.y) and is_yes_no(labels.f):
        return YES_NO_CAUTION
    return GRADED_CAUTION * float(np.var(labels.f) + np.var(labels.y)) / 2


def _interval(own: Sums, mean: float, variance: float, groups: int, effective: float) -> tuple[Estimate, float]:
    """Around a mean with this variance, on the scale of the labels; and the standard error."""
    reach = quantile(effective - 1)
    error = float(np.sqrt(max(variance, 0.0) * groups / (groups - 1))) if groups > 1 else float("inf")
    if own.yes_no:
        share = float(np.clip(mean, 0.0, 1.0))
        size = size_of_share(share, variance, effective)
        low, high = wilson(share, size, reach)
        # Labels that are all the same have no variance; Wilson's interval says how little that is worth.
        own_error = (high - low) / 2 / reach if np.isfinite(reach) else float("inf")
        return Estimate(share, low, high, own.n, size), max(error, own_error)
    # Of labels that are all the same nothing is known; rounding may leave a variance that is not quite 0.
    if groups < 2 or variance <= 0 or own.high <= own.low or not np.isfinite(reach):
        return Estimate(mean, None, None, own.n, effective), float("inf")
    low, high = within(mean - reach * error, mean + reach * error, own.low, own.high)
    return Estimate(mean, low, high, own.n, effective), error
