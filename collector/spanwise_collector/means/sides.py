"""Means of one score on two sides: weighted, and where a judge gave it and people labelled both, corrected. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from spanwise_collector.means.corrected import Labels, Targets, correct
from spanwise_collector.means.gate import MIN_LABELS
from spanwise_collector.means.sums import Sums
from spanwise_collector.stats.arrays import Floats
from spanwise_collector.stats.two_sample import WeightedMean, weighted_mean
from spanwise_schemas.api_correction import ScoreCorrection

Version = tuple[str, str]
"""Evaluator and its version."""
FEWEST: Final = 2
"""One label has no spread."""


@dataclass(frozen=True, slots=True)
class SideMean:
    """A score of one side.

    Attributes:
        raw: of the scores as they were given, weighted by the inverse of their chance.
        corrected: what people would have said of all; `n` and `clusters` are those of the labels. None where it is not
            a judge's score, or has too few labels.
        labels: answers that both people and the judge scored.
        judges: versions of judges that gave it; empty for scores of code and others.
        inside: all values are between 0 and 1.
    """

    raw: WeightedMean
    corrected: WeightedMean | None = None
    labels: int = 0
    judges: frozenset[Version] = frozenset()
    inside: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """Both sides as they are to be compared.

    Attributes:
        a: the first.
        b: the second.
        correction: what labels did; None where no judge gave the score.
    """

    a: WeightedMean
    b: WeightedMean
    correction: ScoreCorrection | None


def side_mean(
    values: Floats,
    chances: Floats,
    clusters: NDArray[np.int64],
    people: Floats,
    people_chances: Floats,
    judges: frozenset[Version],
) -> SideMean:
    """A side's mean from its scores; arrays are [n], at least one.

    Args:
        values: finite.
        chances: probability with which each target was chosen to be scored, in (0, 1].
        clusters: a number per target; those of one number (a session) are not independent.
        people: what people said of the same target; NaN where nothing.
        people_chances: probability with which it was given to people; 0 where it was not.
        judges: versions of judges that gave the scores.
    """
    place = np.unique(clusters, return_inverse=True)[1]
    raw = weighted_mean(values, 1 / chances, place)
    inside = bool((values >= 0).all() and (values <= 1).all())
    if not judges:
        return SideMean(raw, inside=inside)
    labelled = np.isfinite(people) & (people_chances > 0) & (people_chances <= 1)
    own = chances[labelled]
    labels = Labels(people[labelled], values[labelled], people_chances[labelled] * own, own, place[labelled])
    count = int(labelled.sum())
    if count < FEWEST:
        return SideMean(raw, None, count, judges, inside)
    found = correct(Sums.of(values, chances), labels, Targets(values, chances, place))
    assert found.estimate.mean is not None
    # Student's quantile of a mean is that of its clusters less one: as many as the labels are worth.
    mean = WeightedMean(count, max(int(found.degrees), 0) + 1, found.estimate.mean, found.error)
    return SideMean(raw, mean, count, judges, inside)


def beside(a: SideMean | None, b: SideMean | None, held: str = "") -> Beside | None:
    """Both sides as they are to be compared: both corrected or neither, since a judge's mean and people's differ.

    Args:
        a: the first; None where it has no such score.
        b: the second.
        held: which of the judges agrees too little with people; empty for none.

    Returns:
        None where a side is missing.
    """
    if a is None or b is None:
        return None
    if not a.judges and not b.judges:
        return Beside(a.raw, b.raw, None)
    means = (a.corrected, b.corrected)
    both = means[0] is not None and means[1] is not None
    correction = ScoreCorrection(
        corrected=both,
        labels_a=a.labels,
        labels_b=b.labels,
        raw_a=a.raw.mean,
        raw_b=b.raw.mean,
        held=held,
        words=_words(both, a.labels, b.labels),
    )
    if means[0] is not None and means[1] is not None:
        return Beside(means[0], means[1], correction)
    return Beside(a.raw, b.raw, correction)


def _words(corrected: bool, a: int, b: int) -> str:
    if corrected:
        few = f", fewer than {MIN_LABELS}: the interval is rough" if min(a, b) < MIN_LABELS else ""
        return f"corrected by {a:,} and {b:,} labels{few}"
    if a == b == 0:
        return "not corrected: no labels"
    return f"not corrected: {a:,} and {b:,} labels, and both sides need at least {FEWEST}"
