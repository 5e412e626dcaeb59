"""Simulated answers with a known truth: what people would say of each, what a judge says, and who was asked of which.

Answers come in three strata of unequal quality and size, as ordinary traffic, long conversations and a new release are.
With unequal chances the judge and people see the bad strata more often, and the chances are stored with each score.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from spanwise_collector.means.corrected import Labels
from spanwise_collector.means.sums import Sums
from spanwise_collector.stats.arrays import Bools, Floats

Scale = Literal["yes/no", "graded"]
SHARES: Final = np.array([0.70, 0.20, 0.10])
"""Of the strata."""
WORSE: Final = np.array([0.0, -0.08, -0.16])
"""How much worse than the first stratum the others are."""
SPREAD: Final = 8.0
"""Of graded scores: a Beta distribution's a + b."""


@dataclass(frozen=True, slots=True)
class Judge:
    """How a judge errs.

    Attributes:
        name: of it.
        hits: of what people say yes to, the share that it does.
        rejections: of what people say no to, the share that it does.
        weight: of people's score in its own, where scores are graded.
        shift: that it adds to graded scores.
    """

    name: str
    hits: float
    rejections: float
    weight: float
    shift: float = 0.0


JUDGES: Final = (
    Judge("excellent", 0.97, 0.95, 0.95),
    Judge("good", 0.90, 0.80, 0.75, 0.03),
    Judge("lenient", 0.97, 0.45, 0.60, 0.10),
    Judge("useless", 0.50, 0.50, 0.0),
)


@dataclass(frozen=True, slots=True)
class World:
    """One cell of the simulation.

    Attributes:
        scale: of the scores.
        quality: the mean of the first stratum.
        judge: who judges.
        labels: how many people give, on average where chances are unequal.
        unequal: whether bad strata are looked at more often.
        answers: how many there are.
    """

    scale: Scale
    quality: float
    judge: Judge
    labels: int
    unequal: bool
    answers: int = 4_000

    @property
    def truth(self) -> float:
        """The mean of what people would say of all answers that could come."""
        return float(SHARES @ np.clip(self.quality + WORSE, 0.01, 0.99))

    @property
    def rarer(self) -> float:
        """So many labels of the rarer of yes and no are to be expected; of graded scores all count."""
        return self.labels * min(self.truth, 1 - self.truth) if self.scale == "yes/no" else self.labels

    @property
    def name(self) -> str:
        """Of the cell."""
        chances = "unequal" if self.unequal else "equal"
        return f"{self.scale}, {self.quality:g}, {self.judge.name}, {chances}, {self.labels}"

    def draw(self, rng: np.random.Generator) -> "Drawn":
        """One set of answers, with who was asked."""
        stratum = rng.choice(3, self.answers, p=SHARES)
        y = self._people(stratum, rng)
        f = self._judged(y, rng)
        judged = np.array([0.4, 0.8, 1.0])[stratum] if self.unequal else np.ones(self.answers)
        wanted = np.array([1.0, 1.5, 2.0])[stratum] if self.unequal else np.ones(self.answers)
        usual = SHARES @ [1.0, 1.5, 2.0] if self.unequal else 1.0
        chance = np.minimum(self.labels * wanted / (self.answers * usual), 1.0)
        seen = rng.random(self.answers) < judged
        if self.unequal:
            # People choose among what was judged; their chance counts both steps.
            asked = seen & (rng.random(self.answers) < np.minimum(chance / judged, 1))
        else:
            asked = np.zeros(self.answers, bool)
            asked[rng.choice(self.answers, self.labels, replace=False)] = True
        return Drawn(y, f, judged, chance, seen, asked)

    def _people(self, stratum: np.ndarray, rng: np.random.Generator) -> Floats:
        mean = np.clip(self.quality + WORSE, 0.01, 0.99)[stratum]
        if self.scale == "yes/no":
            return np.asarray(rng.random(mean.size) < mean, dtype=np.float64)
        return np.asarray(rng.beta(SPREAD * mean, SPREAD * (1 - mean)))

    def _judged(self, y: Floats, rng: np.random.Generator) -> Floats:
        if self.scale == "yes/no":
            yes = np.where(y == 1, rng.random(y.size) < self.judge.hits, rng.random(y.size) >= self.judge.rejections)
            return np.asarray(yes, dtype=np.float64)
        weight = self.judge.weight
        return np.clip(weight * y + (1 - weight) * rng.beta(4, 4, y.size) + self.judge.shift, 0, 1)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One set of answers; arrays are [answers]."""

    y: Floats
    f: Floats
    judge_chance: Floats
    chance: Floats
    seen: Bools
    asked: Bools

    @property
    def judge(self) -> Sums:
        """What the judge said."""
        return Sums.of(self.f[self.seen], self.judge_chance[self.seen])

    @property
    def labels(self) -> Labels:
        """What people said."""
        at = self.asked
        return Labels(self.y[at], self.f[at], self.chance[at], self.judge_chance[at])
