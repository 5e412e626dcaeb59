"""Drift of texts on Banking77: speed, false alarms and power, beside fixed rules: prints one JSON line.

    python -m bench.regressions.text --data DIR

DIR has `banking77/train.csv` and `test.csv` (PolyAI, CC-BY-4.0). A trial fits a reference on some of the queries,
spread over 14 days, calibrates, and judges windows of the other queries: as they are (false alarms), with 5 % of other
domains' requests, with one intent that gains 5 points, and with intents that the reference never saw. Where days
differ, each has a mix of intents of its own (gamma, coefficient of variation 0.3 for each intent and day). The fixed
rules judge the same windows.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from bench.regressions.fixed_text_rules import RULES
from bench.regressions.offtopic import off_topic
from spanwise_collector.texts.drift import Baseline, baseline, compare
from spanwise_collector.texts.embed import Embedder, Floats
from spanwise_collector.texts.fitting import fit
from spanwise_collector.texts.reference import ReferenceModel

ALPHA: Final = 0.05
SHARE: Final = 0.05
DAYS: Final = 14
VARIATION: Final = 0.3
HELD_OUT: Final = 10
CASES: Final = (
    (500, 500, False),
    (500, 500, True),
    (500, 286, False),
    (500, 143, False),
    (2_000, 500, False),
)
"""Texts of a window, texts of each of the reference's days, and whether those differ."""
RULED: Final = 6
"""Trials in which the fixed rules are applied as well: they cost more than the rest."""
_STREAM: Final = 2_026
"""Mixed into the seed, so that no seed of a report is one that the method was made with."""

Integers = NDArray[np.int64]
Window = Callable[[np.random.Generator], Floats]


@dataclass(slots=True)
class Tally:
    """Alarms of windows of one kind, by who raised them and in which trial."""

    alarms: dict[str, list[list[bool]]] = field(default_factory=dict)

    def add(self, trial: int, raised: dict[str, bool]) -> None:
        """Count a window."""
        for name, alarm in raised.items():
            of_name = self.alarms.setdefault(name, [])
            of_name.extend([] for _ in range(trial + 1 - len(of_name)))
            of_name[trial].append(alarm)

    def figures(self) -> dict[str, Any]:
        """Shares; for the calibrated test with a 95 % interval over the trials, whose windows share a reference."""
        shares = {name: [float(np.mean(trial)) for trial in trials] for name, trials in self.alarms.items()}
        ours = shares["calibrated"]
        reach = float(student.ppf(0.975, len(ours) - 1) * np.std(ours, ddof=1) / np.sqrt(len(ours)))
        middle = float(np.mean(ours))
        return {
            "windows": sum(map(len, self.alarms["calibrated"])),
            **{name: round(float(np.mean(values)), 3) for name, values in shares.items()},
            "calibrated_interval": [round(max(0.0, middle - reach), 3), round(min(1.0, middle + reach), 3)],
        }


@dataclass(frozen=True, slots=True)
class Corpus:
    """Embedded texts.

    Attributes:
        queries: of the bank [n, dimensions].
        intents: of each, as numbers [n].
        foreign: requests of other domains.
        texts_per_s: how fast the queries were embedded, on this machine and one processor.
    """

    queries: Floats
    intents: Integers
    foreign: Floats
    texts_per_s: float


def load(data: Path) -> Corpus:
    """Read and embed."""
    rows = []
    for name in ("train.csv", "test.csv"):
        with (data / "banking77" / name).open(encoding="utf-8", newline="") as file:
            rows += [(row["text"], row["category"]) for row in csv.DictReader(file)]
    embedder = Embedder.load()
    began = time.process_time()
    queries = embedder.embed([text for text, _ in rows])
    took = time.process_time() - began
    intents = np.unique([intent for _, intent in rows], return_inverse=True)[1]
    return Corpus(queries, intents.astype(np.int64), embedder.embed(off_topic()), len(rows) / took)


@dataclass(frozen=True, slots=True)
class Trial:
    """One reference and what is left to make windows of.

    Attributes:
        corpus: all texts.
        model: the reference.
        embeddings: the reference's.
        left: queries for windows, none of them in the reference.
        mix: draws a day's weights of the intents.
    """

    corpus: Corpus
    model: ReferenceModel
    embeddings: Floats
    left: Integers
    mix: Callable[[np.random.Generator], NDArray[np.float64]]

    def usual(self, rng: np.random.Generator, n: int, span_days: int) -> Integers:
        """A window in which nothing has changed, as indices of queries."""
        weights = np.mean([self.mix(rng) for _ in range(span_days)], axis=0)[self.corpus.intents[self.left]]
        found: Integers = rng.choice(self.left, n, replace=False, p=weights / weights.sum())
        return found

    def with_foreign(self, rng: np.random.Generator, n: int, span_days: int) -> Floats:
        """5 % are of other domains."""
        added = round(n * SHARE)
        foreign = self.corpus.foreign[rng.choice(len(self.corpus.foreign), added, replace=False)]
        return np.concatenate([self.corpus.queries[self.usual(rng, n - added, span_days)], foreign])

    def with_intent(self, rng: np.random.Generator, n: int, span_days: int) -> Floats:
        """One intent has gained 5 points."""
        added = round(n * SHARE)
        intent = rng.choice(np.unique(self.corpus.intents[self.left]))
        more = rng.choice(self.left[self.corpus.intents[self.left] == intent], added, replace=True)
        found: Floats = self.corpus.queries[np.concatenate([self.usual(rng, n - added, span_days), more])]
        return found

    def with_unseen(self, rng: np.random.Generator, n: int, span_days: int, unseen: Integers, share: float) -> Floats:
        """A share is of intents that the reference never saw."""
        added = round(n * share)
        queries = np.concatenate([self.usual(rng, n - added, span_days), rng.choice(unseen, added, replace=True)])
        found: Floats = self.corpus.queries[queries]
        return found


def make_trial(
    corpus: Corpus, rng: np.random.Generator, n_reference: int, *, days_differ: bool, pool: Integers | None = None
) -> Trial:
    """Fit a reference on queries drawn without replacement, day by day."""
    order = rng.permutation(np.arange(len(corpus.queries)) if pool is None else pool)
    n_intents = int(corpus.intents.max()) + 1

    def mix(rng: np.random.Generator) -> NDArray[np.float64]:
        if not days_differ:
            return np.ones(n_intents)
        return rng.gamma(VARIATION**-2, VARIATION**2, n_intents)

    # Windows come from a part that no reference takes of, so that a rare day's mix finds texts enough.
    part = len(order) * 2 // 3
    free, left = order[:part], order[part:]
    taken = []
    for _ in range(DAYS):
        weights = mix(rng)[corpus.intents[free]]
        day = rng.choice(len(free), n_reference // DAYS, replace=False, p=weights / weights.sum())
        taken.append(free[day])
        free = np.delete(free, day)
    days = np.repeat(np.arange(DAYS), n_reference // DAYS)
    embeddings = corpus.queries[np.concatenate(taken)]
    return Trial(corpus, fit(embeddings, days, rng), embeddings, left, mix)


def judged(trial: Trial, usual: Baseline, window: Floats, rng: np.random.Generator, *, rules: bool) -> dict[str, bool]:
    """Who raises an alarm."""
    found = compare(trial.model, usual, window)
    raised = {"calibrated": found.p_value <= ALPHA}
    raised |= {f"{name} alone": value <= ALPHA for name, value in found.p_values.items()}
    if rules:
        raised |= {name: rule(trial.model, trial.embeddings, window, rng) for name, rule in RULES.items()}
    return raised


def case(
    corpus: Corpus, seed: int, *, n: int, n_reference: int, trials: int, windows: int, days_differ: bool, rules: int
) -> dict[str, Any]:
    """False alarms and power at one size; the first `rules` trials are judged by the fixed rules too."""
    tallies = {name: Tally() for name in ("nothing changed", "5 % other domains", "one intent +5 points")}
    for number in range(trials):
        rng = np.random.default_rng(np.random.SeedSequence([_STREAM, seed, n, n_reference, number, days_differ]))
        trial = make_trial(corpus, rng, n_reference, days_differ=days_differ)
        span = max(1, round(n / (n_reference / DAYS)))
        usual = baseline(trial.model, n, rng, span_days=span)
        for _ in range(windows):
            same = corpus.queries[trial.usual(rng, n, span)]
            tallies["nothing changed"].add(number, judged(trial, usual, same, rng, rules=number < rules))
        for _ in range(windows // 2):
            foreign, intent = trial.with_foreign(rng, n, span), trial.with_intent(rng, n, span)
            tallies["5 % other domains"].add(number, judged(trial, usual, foreign, rng, rules=number < rules))
            tallies["one intent +5 points"].add(number, judged(trial, usual, intent, rng, rules=number < rules))
    return {name: tally.figures() for name, tally in tallies.items()}


def unseen_case(corpus: Corpus, seed: int, *, n: int, n_reference: int, trials: int, windows: int) -> dict[str, Any]:
    """Power for intents of the same domain that the reference never saw."""
    tallies = {share: Tally() for share in (0.05, 0.1)}
    for number in range(trials):
        rng = np.random.default_rng(np.random.SeedSequence([_STREAM, seed, n, n_reference, number, HELD_OUT]))
        hidden = rng.choice(int(corpus.intents.max()) + 1, HELD_OUT, replace=False)
        is_hidden = np.isin(corpus.intents, hidden)
        trial = make_trial(corpus, rng, n_reference, days_differ=False, pool=np.flatnonzero(~is_hidden))
        span = max(1, round(n / (n_reference / DAYS)))
        usual = baseline(trial.model, n, rng, span_days=span)
        for share, tally in tallies.items():
            for _ in range(windows):
                window = trial.with_unseen(rng, n, span, np.flatnonzero(is_hidden), share)
                tally.add(number, judged(trial, usual, window, rng, rules=False))
    return {f"{share:.0%} of 10 unseen intents": tally.figures() for share, tally in tallies.items()}


def measure(data: Path, seed: int, quick: bool) -> dict[str, Any]:
    """All figures.

    Args:
        data: folder with `banking77`.
        seed: of what is drawn.
        quick: fewer trials, for a look.
    """
    corpus = load(data)
    trials, windows = (2, 12) if quick else (16, 24)
    found: dict[str, Any] = {"texts_per_s": round(corpus.texts_per_s)}
    for n, of_day, days_differ in CASES:
        name = f"n={n}, {DAYS} days of {of_day}, days {'differ' if days_differ else 'alike'}"
        found[name] = case(
            corpus,
            seed,
            n=n,
            n_reference=DAYS * of_day,
            trials=trials if n == 500 and of_day == 500 else max(2, trials // 2),
            windows=windows,
            days_differ=days_differ,
            rules=(1 if quick else RULED) if n == 500 and of_day == 500 else 0,
        )
    found[f"unseen intents, n=500, {DAYS} days of 500"] = unseen_case(
        corpus, seed, n=500, n_reference=DAYS * 500, trials=max(2, trials // 4), windows=windows // 2
    )
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default 1)")
    parser.add_argument("--quick", action="store_true", help="smaller: for a look, not for a report")
    options = parser.parse_args()
    found = measure(options.data, options.seed, options.quick)
    print(json.dumps({"bench": "regressions.text", "seed": options.seed, "quick": options.quick, **found}))


if __name__ == "__main__":
    main()
