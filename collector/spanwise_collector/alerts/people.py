"""What people have said, as the engine asks for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from spanwise_collector.alerts.acks import Acknowledgements
from spanwise_collector.alerts.silences import Silences
from spanwise_collector.alerts.state import Acknowledgement, Restart, Silencing


class StoredPeople:
    """Silences, restarts and acknowledgements in the store: fulfils `state.People`.

    Args:
        silences: of all projects.
        acks: of all projects.
    """

    def __init__(self, silences: Silences, acks: Acknowledgements) -> None:
        self._silences = silences
        self._acks = acks

    def silences(self, project: str, now: datetime) -> Sequence[Silencing]:
        """See `People.silences`."""
        return self._silences.holding(project, now)

    def restarts(self, project: str) -> Sequence[Restart]:
        """See `People.restarts`."""
        return self._acks.restarts(project)

    def acknowledged(self, project: str, alert_ids: Sequence[int]) -> Mapping[int, Acknowledgement]:
        """See `People.acknowledged`."""
        return self._acks.of(project, alert_ids)
