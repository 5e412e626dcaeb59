"""Quantiles, and the resident memory of a process over time."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SAMPLE_EVERY_S: Final = 0.25


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a quantile needs at least one value")
    rank = -int(-share * len(values) // 1)
    return sorted(values)[min(len(values), max(1, rank)) - 1]


def resident_mb(pid: int) -> float:
    """Resident memory of a process in MB (1,000,000 bytes), from Linux's /proc.

    Raises:
        OSError: there is no such process.
    """
    with Path(f"/proc/{pid}/status").open() as status:
        kilobytes = next((int(line.split()[1]) for line in status if line.startswith("VmRSS")), 0)
    return kilobytes * 1_024 / 1e6


@dataclass
class Memory:
    """Samples of a process's resident memory.

    Attributes:
        samples: monotonic seconds and MB.
    """

    samples: list[tuple[float, float]] = field(default_factory=list)

    def between(self, begin: float, end: float) -> dict[str, float]:
        """Median and maximum in MB of the samples of a time, `end` not inside it.

        Raises:
            ValueError: no sample is of this time.
        """
        found = [megabytes for at, megabytes in self.samples if begin <= at < end]
        return {"median_mb": round(quantile(found, 0.5), 1), "max_mb": round(quantile(found, 1.0), 1)}


@contextmanager
def watched(pid: int) -> Iterator[Memory]:
    """Sample a process's memory on a thread until the block ends or the process does."""
    memory, stop = Memory(), threading.Event()

    def sample() -> None:
        while not stop.is_set():
            try:
                memory.samples.append((time.monotonic(), resident_mb(pid)))
            except OSError:
                return
            stop.wait(SAMPLE_EVERY_S)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
