"""The broker that tests run against: the packaged one, or Apache Kafka with SPANWISE_TEST_BROKER=kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spanwise_collector.embedded.broker import EmbeddedBroker, free_port


@contextmanager
def packaged_broker(directory: Path) -> Iterator[EmbeddedBroker]:
    """The packaged broker on a free port, stopped at the end."""
    with EmbeddedBroker(port=free_port(), log_path=directory / "broker.log") as broker:
        yield broker
