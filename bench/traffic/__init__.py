"""An honest simulator of the traffic of an application built on language models.

    plan = Plan(seed=1, per_day=2_000, nuisances=(Nuisance("holiday", day=30),))
    draws = draw(plan)                                            # all of its chance
    made = columns(draws, [Injection("error", 4.0, start_h=700.0)])   # with a regression; the rest is the same
    grid = Grid(made, plan.days, step_h=1.0)
    grid.events(made.error), grid.sums(np.log(made.latency_ms)), grid.histograms(made.latency_ms)   # roll-ups
    for request in requests(plan, made): ...                      # one object each

It has seasons of the day and the week, holidays, launches, gaps, slow trends, over-dispersion and autocorrelation of
every level, heavy tails, mixes that wander from day to day, and eight dimensions to slice by. Its parameters are
assumptions: no public record of production traffic of this kind was found. `python -m bench.traffic` prints samples.
"""

from bench.traffic.columns import Columns, affected, columns, select
from bench.traffic.draws import Draws, draw
from bench.traffic.plan import DIMENSIONS, NUISANCES, Injection, Nuisance, Plan, Rollout
from bench.traffic.requests import ERROR_CLASSES, Request, requests
from bench.traffic.rollups import BIN_LOG, BINS, Grid, Sums

__all__ = [
    "BINS",
    "BIN_LOG",
    "DIMENSIONS",
    "ERROR_CLASSES",
    "NUISANCES",
    "Columns",
    "Draws",
    "Grid",
    "Injection",
    "Nuisance",
    "Plan",
    "Request",
    "Rollout",
    "Sums",
    "affected",
    "columns",
    "draw",
    "requests",
    "select",
]
