"""Refused records on their way to the topic spanwise_rejects, masked: as originals they still hold everything."""

from collections.abc import Sequence
from dataclasses import replace

from spanwise_collector.ingest.landing import REJECT_HEADER
from spanwise_collector.ingest.runner import Connection
from spanwise_collector.ingest.source import Reject, RejectSink
from spanwise_collector.normalise.masking import Masker


class MaskedRejects:
    """A `RejectSink` that masks what another one publishes.

    Args:
        sink: publishes.
        masker: hides what must not be stored.
    """

    def __init__(self, sink: RejectSink, masker: Masker) -> None:
        self._sink = sink
        self._masker = masker

    def publish(self, rejects: Sequence[Reject]) -> None:
        """See `RejectSink.publish`."""
        self._sink.publish([masked_reject(reject, self._masker) for reject in rejects])

    def close(self) -> None:
        """See `RejectSink.close`."""
        self._sink.close()


def masked_reject(reject: Reject, masker: Masker) -> Reject:
    """The record with key, value and original headers masked; what we say about it was made of masked data."""
    about = dict(reject.headers)
    topic = about.get(REJECT_HEADER + "topic", b"").decode()
    own = tuple(one for one in reject.headers if one[0].startswith(REJECT_HEADER))
    original = masker.headers(tuple(one for one in reject.headers if not one[0].startswith(REJECT_HEADER)))
    return replace(
        reject,
        key=None if reject.key is None else masker.short(reject.key),
        value=masker.refused(reject.value, topic),
        headers=(*((name, value or b"") for name, value in original), *own),
    )


def with_masked_rejects(connection: Connection, masker: Masker | None) -> Connection:
    """The connection, whose rejects are masked when there is a masker."""
    if masker is None:
        return connection
    return replace(connection, rejects=MaskedRejects(connection.rejects, masker))
