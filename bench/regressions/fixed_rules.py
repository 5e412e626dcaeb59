"""The usual fixed rules and the default rules of peers, written again here, over the same streams.

Each gives, for the last two weeks of a stream, the hours at whose end its condition held. The packages themselves are
run by bench/regressions/numeric_peers.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from bench.regressions.streams import BASELINE_DAYS
from bench.traffic import BIN_LOG, BINS, Columns, Grid
from spanwise_collector.stats.arrays import Bools, Floats, ratio
from spanwise_collector.stats.burn import slo_burn

HOLD_H: Final = 24.0
"""An alarm of a rule counts as the same for so long: the detector has the same hold."""
DAY: Final = 24
SAMPLE: Final = 1_000
BEGIN: Final = BASELINE_DAYS * DAY


@dataclass(frozen=True, slots=True)
class Hourly:
    """One signal of a stream by the hour.

    Attributes:
        n: events, [time].
        total: sum of values, [time].
        histogram: counts by bin of 5 %, [time, bins]; of a rate or a score a row of two: 0 and 1.
        edges: value of each bin.
        worse: 1 where more is worse, -1 where less is.
    """

    n: Floats
    total: Floats
    histogram: Floats
    edges: Floats
    worse: int

    def joined(self, size: int) -> "Hourly":
        """Chunks of so many hours."""

        def by(values: Floats) -> Floats:
            return np.asarray(values.reshape(-1, size, *values.shape[1:]).sum(1))

        return Hourly(by(self.n), by(self.total), by(self.histogram), self.edges, self.worse)


def hourly(signal: str, made: Columns, days: int) -> Hourly:
    """Of latency, slow_share (the same values), error_rate or score."""
    grid = Grid(made, days, 1.0)
    if signal in ("latency", "slow_share"):
        sums = grid.sums(made.latency_ms)
        edges = np.exp((np.arange(BINS) + 0.5) * BIN_LOG)
        return Hourly(sums.n, sums.total, grid.histograms(made.latency_ms), edges, 1)
    if signal == "error_rate":
        n, errors = grid.events(), grid.events(made.error)
        return Hourly(n, errors, np.stack([n - errors, errors], 1), np.array([0.0, 1.0]), 1)
    sums = grid.sums(made.score)
    bins = 50
    codes = np.clip(np.nan_to_num(made.score, nan=-1.0) * bins, -1, bins - 1).astype(np.int64)
    counts = np.stack([grid.events(codes == code) for code in range(bins)], 1)
    return Hourly(sums.n, sums.total, counts, (np.arange(bins) + 0.5) / bins, -1)


def _three_sd(chunks: Hourly, begin: int) -> Bools:
    """NannyML: outside the mean of the reference's chunks by three of their standard deviations, on the worse side."""
    means = ratio(chunks.total, chunks.n, np.nan)
    reference = means[:begin][chunks.n[:begin] > 0]
    off = chunks.worse * (means - reference.mean()) > 3.0 * reference.std()
    return np.asarray(off & (chunks.n > 0))


def _wasserstein(chunks: Hourly, begin: int) -> Bools:
    """Evidently, references above 1,000: Wasserstein distance over the reference's standard deviation, at least 0.1."""
    reference = chunks.histogram[:begin].sum(0)
    share = reference / reference.sum()
    mean = (share * chunks.edges).sum()
    sd = np.sqrt((share * (chunks.edges - mean) ** 2).sum())
    gaps = np.abs(ratio(chunks.histogram.cumsum(1), chunks.n[:, None]) - share.cumsum())[:, :-1]
    return np.asarray(((gaps * np.diff(chunks.edges)).sum(1) / sd >= 0.1) & (chunks.n > 0))


def _ks(chunks: Hourly, begin: int) -> Bools:
    """Evidently, references of up to 1,000: Kolmogorov-Smirnov at p < 0.05 against a sample of 1,000."""
    reference = chunks.histogram[:begin].sum(0)
    gaps = ratio(chunks.histogram.cumsum(1), chunks.n[:, None]) - reference.cumsum() / reference.sum()
    root = np.sqrt(SAMPLE * chunks.n / (SAMPLE + chunks.n))
    p = stats.kstwobign.sf(np.abs(gaps).max(1) * root)
    return np.asarray((p < 0.05) & (chunks.n > 0))


def _week_over_week(chunks: Hourly, begin: int) -> Bools:
    """More than 20 % worse than the same chunk of the week before."""
    week = 7 * begin // BASELINE_DAYS
    means = ratio(chunks.total, chunks.n, np.nan)
    before = np.concatenate([np.full(week, np.nan), means[:-week]])
    return np.asarray(chunks.worse * (means - before) > 0.2 * before)


def _static(chunks: Hourly, begin: int) -> Bools:
    """Errors above 5 %, the p95 of latency half as long again as it was, a score 0.05 below what it was."""
    means = ratio(chunks.total, chunks.n, np.nan)
    if chunks.worse < 0:
        return np.asarray(means < chunks.total[:begin].sum() / chunks.n[:begin].sum() - 0.05)
    if chunks.edges.size == 2:
        return np.asarray(means > 0.05)
    usual = chunks.histogram[:begin].sum(0)
    p95 = chunks.edges[(chunks.histogram.cumsum(1) >= 0.95 * chunks.n[:, None]).argmax(1)]
    limit = 1.5 * chunks.edges[(usual.cumsum() >= 0.95 * usual.sum()).argmax()]
    return np.asarray((p95 > limit) & (chunks.n > 0))


def _burn(chunks: Hourly, begin: int) -> Bools:
    """Burn rates of an objective of 97 % over the workbook's windows, by the hour: the shortest windows are an hour."""
    windows = slo_burn(chunks.total[None].repeat(12, 1) / 12, chunks.n[None].repeat(12, 1) / 12, 5, 0.97)
    return np.asarray(windows.fires[:, 0].any(0).reshape(-1, 12).any(1))


RULES: Final[Mapping[str, tuple[Callable[[Hourly, int], Bools], int, frozenset[str]]]] = {
    "mean ± 3 sd, hourly (NannyML's rule)": (_three_sd, 1, frozenset()),
    "mean ± 3 sd, daily": (_three_sd, DAY, frozenset()),
    "Wasserstein >= 0.1, hourly (Evidently's rule)": (_wasserstein, 1, frozenset({"latency", "slow_share", "score"})),
    "Wasserstein >= 0.1, daily": (_wasserstein, DAY, frozenset({"latency", "slow_share", "score"})),
    "KS p < 0.05, hourly": (_ks, 1, frozenset({"latency", "slow_share", "score"})),
    "KS p < 0.05, daily": (_ks, DAY, frozenset({"latency", "slow_share", "score"})),
    "week over week > 20 %, hourly": (_week_over_week, 1, frozenset()),
    "week over week > 20 %, daily": (_week_over_week, DAY, frozenset()),
    "static threshold, hourly": (_static, 1, frozenset()),
    "SLO 97 % burn rate": (_burn, 1, frozenset({"error_rate"})),
}
"""Rule, hours of its chunks, and the signals it is for; empty for all."""


def onsets(rule: str, stream: Hourly) -> list[float]:
    """When the rule's alarms began in the last two weeks, in hours from the start of the stream."""
    test, size, _ = RULES[rule]
    held = test(stream.joined(size), BEGIN // size)
    found: list[float] = []
    for i in np.nonzero(held)[0]:
        hour = float((i + 1) * size)
        if hour > BEGIN and (not found or hour - found[-1] >= HOLD_H):
            found.append(hour)
    return found
