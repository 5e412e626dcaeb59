"""Putting the parts of alerting together, from the collector's settings."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.alerts_file import AlertsFile
from spanwise_collector.alerts.channels.addresses import read_networks
from spanwise_collector.alerts.channels.opening import Surroundings, is_grouped, open_channel, recipient
from spanwise_collector.alerts.claims import Lease, Store
from spanwise_collector.alerts.deliver import Deliverer, Route
from spanwise_collector.alerts.delivery_runner import LEASE as DELIVERY_LEASE
from spanwise_collector.alerts.delivery_runner import LEASE_S as DELIVERY_LEASE_S
from spanwise_collector.alerts.delivery_runner import delivery_runner
from spanwise_collector.alerts.outbox import Outbox
from spanwise_collector.alerts.people import StoredPeople
from spanwise_collector.alerts.rules_store import RulesStore
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.periodic import Periodic
from spanwise_collector.settings import Settings

EVALUATION_LEASE: Final = "alerts"
EVALUATION_LEASE_S: Final = 60.0
"""At least; and three rounds long, so that it is renewed from round to round."""


@dataclass(frozen=True, slots=True)
class AlertParts:
    """What evaluating, delivering and the API share.

    Attributes:
        file: rules and channels of the alerts file.
        rules: all rules: the engine's `RuleSource`.
        silences: of all projects.
        acks: what people said of alerts.
        people: both, as the engine asks for them.
        outbox: where notifications wait: the engine's `Outbox`.
        evaluation: lease of the one who evaluates.
        delivery: lease of the one who delivers.
        deliverer: delivers; not started.
    """

    file: AlertsFile
    rules: RulesStore
    silences: Silences
    acks: Acknowledgements
    people: StoredPeople
    outbox: Outbox
    evaluation: Lease
    delivery: Lease
    deliverer: Periodic


def make_parts(
    settings: Settings,
    store: Store,
    *,
    owner: str,
    environ: Mapping[str, str],
    now: Callable[[], datetime],
    clock: Callable[[], float],
    new_id: Callable[[], str],
    rng: random.Random,
) -> AlertParts:
    """The parts as the settings say.

    Args:
        settings: of the collector.
        store: the database.
        owner: of leases: of this process alone, also after a restart. What stands before a `/` is shown to people.
        environ: where secrets of channels are.
        now: the time of day, UTC.
        clock: seconds that never go back.
        new_id: 16 hex digits that were never used before, by no process.
        rng: for the jitter of repeated attempts.

    Raises:
        AlertsFileError: the alerts file cannot be used.
    """
    file = AlertsFile(settings.alerts_file, clock)
    around = Surroundings(environ, read_networks(settings.alerts_private_networks), now)

    def routes() -> dict[str, Route]:
        return {
            config.name: Route(open_channel(config, around), is_grouped(config)) for config in file.current().channels
        }

    silences = Silences(store, now=now, new_id=new_id)
    acks = Acknowledgements(store, now=now, new_id=new_id)
    outbox = Outbox(store, lambda: map(recipient, file.current().channels))
    delivery = Lease(store, DELIVERY_LEASE, owner, DELIVERY_LEASE_S, now)
    deliverer = Deliverer(store, outbox, routes, now=now, new_id=new_id, rng=rng, dashboard_url=settings.dashboard_url)
    return AlertParts(
        file=file,
        rules=RulesStore(store, file.current, now=now, with_built_in=settings.alerts_built_in),
        silences=silences,
        acks=acks,
        people=StoredPeople(silences, acks),
        outbox=outbox,
        evaluation=Lease(store, EVALUATION_LEASE, owner, max(EVALUATION_LEASE_S, 3 * settings.alerts_seconds), now),
        delivery=delivery,
        deliverer=delivery_runner(deliverer, delivery),
    )


def holder_name(lease: Lease) -> str:
    """Who has a lease, for people; empty where nobody has."""
    return lease.holder.partition("/")[0]
