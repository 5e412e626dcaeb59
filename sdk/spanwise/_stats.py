"""What became of the telemetry."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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

    @property
    def dropped_total(self) -> int:
        """Sum over all reasons."""
        return sum(self.dropped.values())
