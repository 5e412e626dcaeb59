"""Delivering as a part of the service: a look into the outbox every few seconds."""

from collections.abc import Mapping
from typing import Final

from spanwise_collector.alerts.claims import Lease
from spanwise_collector.alerts.deliver import Deliverer
from spanwise_collector.periodic import Periodic

LEASE: Final = "deliver"
LEASE_S: Final = 30.0
INTERVAL_S: Final = 2.0
STOP_S: Final = 40.0
"""A message that is being sent is waited for so long."""
COUNTS: Final = {
    "sent": "Messages that channels took.",
    "failed": "Attempts that failed; they are repeated.",
    "given_up": "Notifications that were not delivered within a day.",
}


def delivery_runner(deliverer: Deliverer, lease: Lease, *, interval_s: float = INTERVAL_S) -> Periodic:
    """Delivers on a thread of its own while this process has the lease; at the stop lets another deliver.

    Args:
        deliverer: does the rounds.
        lease: of the one who delivers; without it two would deliver, too, but not group what belongs together.
        interval_s: from the end of a round to the next.
    """

    def step() -> Mapping[str, int]:
        done = deliverer.round()
        return {"sent": done.sent, "failed": done.failed, "given_up": done.given_up}

    return Periodic(
        "deliver",
        step,
        counts=COUNTS,
        is_leader=lease.is_leader,
        interval_s=interval_s,
        at_stop=lease.release,
        stop_s=STOP_S,
    )
