"""Datasets and experiments in the API."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI

from spanwise_collector.api.routes import datasets, experiments
from spanwise_collector.datasets.store import Datasets, Store
from spanwise_collector.experiments.store import Experiments


@dataclass(frozen=True, slots=True)
class Curated:
    """What the endpoints about datasets and experiments work with.

    Attributes:
        datasets: of all projects.
        experiments: of all projects.
    """

    datasets: Datasets
    experiments: Experiments

    def include(self, app: FastAPI) -> None:
        """Add the endpoints to an app."""
        app.state.datasets = self.datasets
        app.state.experiments = self.experiments
        app.include_router(datasets.router)
        app.include_router(experiments.router)


def make_curated(store: Store, *, now: Callable[[], datetime], new_id: Callable[[], str], timeout_s: float) -> Curated:
    """Datasets and experiments in a store.

    Args:
        store: the database.
        now: the time of day, UTC.
        new_id: a text that was never used before.
        timeout_s: of each query.
    """
    return Curated(
        Datasets(store, now=now, new_id=new_id, timeout_s=timeout_s), Experiments(store, now=now, timeout_s=timeout_s)
    )
