"""What a run of many schedules did, and its one line at the end."""

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

PROGRESS = 50


@dataclass
class Figures:
    """Sums over schedules.

    Attributes:
        schedules: begun.
        steps: taken by the collectors' loops.
        faults: injected, by kind.
        outcomes: what the loop said of them: retries, fences, stops, restarts.
        spans: sent, all different.
        lost: not stored, nor among the rejects, nor announced as deleted by Kafka.
        doubled: stored more than once, in any table.
        reject_repeats: records that are in the rejects topic more than once, which is allowed after a crash.
    """

    schedules: int = 0
    steps: int = 0
    records: int = 0
    spans: int = 0
    rejected: int = 0
    lost: int = 0
    doubled: int = 0
    reject_repeats: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """One schedule more; says now and then how those before went."""
        if self.schedules and self.schedules % PROGRESS == 0:
            sys.stderr.write(self.line(None) + "\n")
        self.schedules += 1

    def line(self, seed: str | None) -> str:
        """One JSON line."""
        return json.dumps(
            {
                "schedules": self.schedules,
                "steps": self.steps,
                "faults": self.faults.total(),
                "faults_by_kind": dict(self.faults.most_common()),
                "outcomes": dict(self.outcomes.most_common()),
                "records": self.records,
                "spans": self.spans,
                "rejected": self.rejected,
                "reject_repeats": self.reject_repeats,
                "lost": self.lost,
                "doubled": self.doubled,
                "seconds": round(time.monotonic() - self.began),
                "seed": seed,
            }
        )
