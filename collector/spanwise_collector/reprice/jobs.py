"""Repricing in the background, one at a time: started, asked about, and finished or failed."""

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from spanwise_collector.ingest.cost import PriceBook
from spanwise_collector.query.values import time_of
from spanwise_collector.query.window import Window
from spanwise_collector.reprice.repricer import Difference, Repricer, together
from spanwise_collector.store.amend import AmendmentBusyError
from spanwise_collector.store.errors import StoreError
from spanwise_schemas.api_reprice import Reprice, RepricedModel, RepriceState

log = logging.getLogger(__name__)

KEPT: Final = 20
STOP_S: Final = 10.0


class BusyError(RuntimeError):
    """Another one is under way."""


@dataclass(slots=True)
class _Job:
    id: str
    project: str
    window: Window
    prices: PriceBook
    is_applied: bool
    state: RepriceState = "running"
    done_us: int = 0
    models: Mapping[str, Difference] = field(default_factory=dict)
    failure: str = ""


class RepriceJobs:
    """Runs repricing on threads of its own.

    Args:
        repricer: does the work.
    """

    def __init__(self, repricer: Repricer) -> None:
        self._repricer = repricer
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    def start(self, project: str, window: Window, prices: PriceBook, *, apply: bool) -> Reprice:
        """Begin; returns at once.

        Args:
            project: whose calls; empty for all.
            window: calls that start in it.
            prices: the price list.
            apply: False only shows what would change.

        Raises:
            BusyError: another one is under way.
        """
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                raise BusyError("Another reprice is under way; wait until it has ended.")
            job = _Job(uuid.uuid4().hex, project, window, prices, apply, done_us=window.start)
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-KEPT]:
                del self._jobs[old]
            self._thread = threading.Thread(target=self._run, args=(job,), name="spanwise-reprice", daemon=True)
            self._thread.start()
        return _shown(job)

    def get(self, job_id: str) -> Reprice | None:
        """How far one is; None when it is not known (any more)."""
        job = self._jobs.get(job_id)
        return _shown(job) if job else None

    def stop(self) -> None:
        """End after the piece that is under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(self, job: _Job) -> None:
        try:
            self._work(job)
        except (StoreError, AmendmentBusyError) as error:
            job.failure, job.state = f"{error} Run it again: it goes on from where it was.", "failed"
            log.warning("reprice: %s", job.failure)
        except Exception as error:  # the top of a thread: whatever it is, it is told
            job.failure, job.state = f"An error that is not known here ({type(error).__name__}: {error}).", "failed"
            log.exception("reprice")

    def _work(self, job: _Job) -> None:
        projects = [job.project] if job.project else self._repricer.projects(job.window)
        for number, project in enumerate(projects):
            for piece in self._repricer.pieces(project, job.window, job.prices):
                if self._stopped.is_set():
                    job.failure, job.state = "The collector was stopped. Run it again: it goes on.", "failed"
                    return
                job.models = together(job.models, self._repricer.difference(piece))
                if job.is_applied:
                    self._repricer.apply(piece)
                done = number * job.window.length + piece.end_us - job.window.start
                job.done_us = job.window.start + done // len(projects)
        job.done_us, job.state = job.window.end, "done"
        if job.is_applied:
            log.info(
                "repriced %s to %s under %s", time_of(job.window.start), time_of(job.window.end), job.prices.version
            )


def _shown(job: _Job) -> Reprice:
    models = [
        RepricedModel(
            model=model,
            calls=one.calls,
            before_nanousd=one.before_n,
            after_nanousd=one.after_n,
            newly_priced_calls=one.priced,
            no_longer_priced_calls=one.unpriced,
            price_versions=sorted(one.versions),
        )
        for model, one in sorted(job.models.items())
    ]
    return Reprice(
        id=job.id,
        state=job.state,
        apply=job.is_applied,
        project=job.project,
        start=time_of(job.window.start),
        end=time_of(job.window.end),
        progress=round((job.done_us - job.window.start) / max(1, job.window.length), 3),
        price_version=job.prices.version,
        models=models,
        failure=job.failure,
    )
