"""What became of the telemetry."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalStats:
    """Counts of runs of evaluators, one for each evaluator of each span with `evals=[...]`.

    Always: due = scored + not_applicable + skipped + failed + dropped + queued.

    Attributes:
        due: all.
        scored: became a score, which is then counted among `Stats.emitted`.
        not_applicable: the evaluator had nothing to say of this span.
        skipped: left out, because the span failed, or its output was not recorded or was cut off.
        failed: the evaluator raised, or returned what is no verdict; logged once for each evaluator.
        dropped: not run, by reason: `queue_full`, `exit`, `after_shutdown`.
        queued: still waiting.
    """

    due: int = 0
    scored: int = 0
    not_applicable: int = 0
    skipped: int = 0
    failed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    queued: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """Counts of spans and scores since the process started, as `spanwise.stats()` returns them.

    Always: emitted = sent + dropped + queued.

    Attributes:
        producer: id of this process as the collector knows it (`service.instance.id`); empty when Spanwise is not set
            up.
        emitted: finished spans and scores given to Spanwise.
        sent: acknowledged by the receiver.
        dropped: lost, by reason; docs/sdk.md lists the reasons.
        queued: still on their way.
        sampled_out: left out on purpose by `sample_rate`; not part of `emitted`.
        mask_failed: texts replaced by "[mask failed]".
        internal_errors: times that Spanwise failed inside one of your calls and let it run on.
        last_error: why sending last failed; None when it never did.
        evals: what became of the evaluators of `evals=[...]`.
    """

    producer: str = ""
    emitted: int = 0
    sent: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    queued: int = 0
    sampled_out: int = 0
    mask_failed: int = 0
    internal_errors: int = 0
    last_error: str | None = None
    evals: EvalStats = EvalStats()

    @property
    def dropped_total(self) -> int:
        """Sum over all reasons."""
        return sum(self.dropped.values())
