"""Fixtures for all suites."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from spanwise_collector.store.database import Database
from tests.support.brokers import broker_under_test
from tests.support.databases import fresh_database, fresh_dsn

# Examples have no deadline and may be slow to make: a loaded machine must not fail a test.
settings.register_profile("spanwise", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("spanwise")


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the broker under test; topics are each test's own (use unique names).

    It is the packaged broker, or Apache Kafka 4 with SPANWISE_TEST_BROKER=kafka (`make test-kafka`).
    """
    with broker_under_test(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def chdb_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one directory of the embedded engine in this process.

    The engine allows a process one directory at a time, so every in-process test must use this one: take `database`
    (a fresh database with the schema), or `database_dsn` (an address to open yourself), never a directory of your
    own. The engine stays up between tests because one connection stays open.
    """
    directory = tmp_path_factory.mktemp("chdb")
    anchor = Database.open(f"chdb://{directory}", readers=0)
    yield directory
    anchor.close()


@pytest.fixture
def database_dsn(chdb_directory: Path) -> str:
    """Address of a database that does not exist yet; opening it makes it."""
    return fresh_dsn(chdb_directory)


@pytest.fixture
def database(database_dsn: str) -> Iterator[Database]:
    """A fresh database with the current schema, dropped after the test. Its address is `database.address`."""
    with fresh_database(database_dsn) as database:
        yield database
