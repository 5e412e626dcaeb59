"""Fixtures of the suite on Apache Kafka. It runs by `make test-kafka`, which fetches the broker."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from spanwise_collector.store.database import Database
from tests.support.brokers import apache_kafka
from tests.support.http_front import running_front
from tests.support.kafka_broker import ApacheKafka


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """kafka-python leaves sockets behind where nobody answers, some until the process ends: no fault of a test."""
    warnings.filterwarnings("ignore", "unclosed <socket", ResourceWarning)
    warnings.filterwarnings("ignore", "Exception ignored in: <socket.socket", pytest.PytestUnraisableExceptionWarning)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """A broker of the module's own, which tests may kill."""
    with apache_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def shared_dsn(chdb_directory: Path, database_dsn: str) -> Iterator[str]:
    """Address of a fresh store that several processes can use at once: the engine behind a ClickHouse-HTTP front."""
    name = database_dsn.rpartition("=")[2]
    with running_front(chdb_directory) as front:
        yield f"{front.url}/{name}"


@pytest.fixture
def store(shared_dsn: str) -> Iterator[Database]:
    """The test's view of the store."""
    database = Database.open(shared_dsn, readers=1)
    yield database
    database.close()
