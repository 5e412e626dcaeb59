"""Replays in the background: begun, asked about, swapped in or discarded."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from spanwise_collector.ingest.source import SourceError
from spanwise_collector.query.values import time_of
from spanwise_collector.replay.difference import ProjectDifference
from spanwise_collector.replay.replayer import Phase, Progress, Replayer
from spanwise_collector.replay.spec import ReplayError, ReplaySpec
from spanwise_collector.store.amend import AmendmentBusyError
from spanwise_collector.store.errors import StoreError
from spanwise_schemas.api_replay import Replay, ReplayedProject, ReplayState

log = logging.getLogger(__name__)

STOP_S: Final = 10.0
GO_ON: Final = "Run the same command again: it goes on from where it was."


class ReplayBusyError(RuntimeError):
    """Another replay is there, or this one is being worked on; the message says what to do."""


@dataclass(slots=True)
class _Now:
    progress: Progress | None = None
    failure: str = ""


class ReplayJobs:
    """One replay at a time, on a thread of its own.

    Args:
        replayer: does the work.
    """

    def __init__(self, replayer: Replayer) -> None:
        self._replayer = replayer
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._now = _Now()
        self._stopped = threading.Event()

    def start(self, spec: ReplaySpec) -> Replay:
        """Begin, or go on with one that stands still; returns at once.

        Args:
            spec: what is asked for.

        Raises:
            ReplayBusyError: another one is there.
            StoreError: as the store says.
        """
        with self._lock:
            self._refuse_while_running()
            found = self._replayer.found()
            if found is not None and found[1] is Phase.DONE:
                self._replayer.discard()
                found = None
            if found is not None and found[0] != spec:
                raise ReplayBusyError(
                    f"Another replay is there, of {_span(found[0])}, {found[1]}. Swap it in, or discard it "
                    "(`spanwise replay --discard`)."
                )
            if found is None or found[1] not in (Phase.READY, Phase.SWAPPING):
                self._run(lambda: self._replayer.build(spec), Phase.REBUILDING)
        return self.get(spec)

    def swap(self) -> Replay:
        """Begin to put it in place; returns at once.

        Raises:
            ReplayBusyError: there is none, or it is not ready.
            StoreError: as the store says.
        """
        with self._lock:
            self._refuse_while_running()
            found = self._replayer.found()
            if found is None:
                raise ReplayBusyError("There is no replay. Begin one with `spanwise replay --from --to`.")
            if found[1] not in (Phase.READY, Phase.SWAPPING):
                raise ReplayBusyError(f"The replay of {_span(found[0])} is {found[1]}: there is nothing to swap in.")
            self._run(self._replayer.swap, found[1])
        return self.get(found[0])

    def discard(self) -> None:
        """Drop what was made anew; does nothing when there is none.

        Raises:
            ReplayBusyError: it is being worked on.
            ReplayError: a swap was interrupted.
            StoreError: as the store says.
        """
        with self._lock:
            self._refuse_while_running()
            self._replayer.discard()
            self._now = _Now()

    def get(self, asked: ReplaySpec | None = None) -> Replay:
        """How far it is.

        Args:
            asked: to show when it has not begun yet.

        Raises:
            ReplayBusyError: there is none.
            StoreError: as the store says.
        """
        now, running = self._now, self.is_running
        found = None if running and now.progress and now.progress.phase is Phase.SWAPPING else self._replayer.found()
        if found is None and asked is None and not running and not now.failure:
            raise ReplayBusyError("There is no replay. Begin one with `spanwise replay --from --to`.")
        spec = found[0] if found else asked
        phase = now.progress.phase if running and now.progress else found[1] if found else Phase.REBUILDING
        state: ReplayState = "running" if running else "failed" if now.failure else "stopped"
        return Replay(
            start=time_of(spec.start_us if spec else 0),
            end=time_of(spec.end_us if spec else 0),
            phase=phase.value,
            state=state,
            done=now.progress.done if now.progress else 0,
            total=now.progress.total if now.progress else 0,
            projects=[_shown(project, one) for project, one in sorted(found[2].items())] if found else [],
            failure=now.failure,
        )

    @property
    def is_running(self) -> bool:
        """Whether it is being worked on."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """End after the step that is under way; the next start of the same replay goes on."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _refuse_while_running(self) -> None:
        if self.is_running:
            raise ReplayBusyError("A replay is being worked on; wait until it has ended, or ask how far it is.")

    def _run(self, work: Callable[[], Iterator[Progress]], phase: Phase) -> None:
        now = self._now = _Now(Progress(phase, 0, 0))
        self._thread = threading.Thread(target=self._work, args=(work, now), name="spanwise-replay", daemon=True)
        self._thread.start()

    def _work(self, work: Callable[[], Iterator[Progress]], now: _Now) -> None:
        try:
            for now.progress in work():
                if self._stopped.is_set():
                    now.failure = f"The collector was stopped. {GO_ON}"
                    return
            log.info("replay: %s", now.progress.phase if now.progress else "nothing to do")
        except ReplayError as error:
            now.failure = str(error)
        except (StoreError, SourceError, AmendmentBusyError, TimeoutError) as error:
            now.failure = f"{error} {GO_ON}"
            log.warning("replay: %s", now.failure)
        except Exception as error:  # the top of a thread: whatever it is, it is told
            now.failure = f"An error that is not known here ({type(error).__name__}: {error})."
            log.exception("replay")


def _span(spec: ReplaySpec) -> str:
    return f"{time_of(spec.start_us):%Y-%m-%dT%H:%MZ} to {time_of(spec.end_us):%Y-%m-%dT%H:%MZ}"


def _shown(project: str, one: ProjectDifference) -> ReplayedProject:
    return ReplayedProject(
        project=project,
        before=one.before,
        after=one.after,
        added=one.added,
        removed=one.removed,
        changed=one.changed,
        columns=dict(sorted(one.columns.items(), key=lambda item: (-item[1], item[0]))),
        bodies=one.bodies,
        cost_before_nanousd=one.cost_before_n,
        cost_after_nanousd=one.cost_after_n,
        examples=one.examples,
    )
