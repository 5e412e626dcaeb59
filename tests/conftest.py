"""Fixtures for all suites."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from spanwise_collector.store.database import Database
from tests.support.brokers import ON_KAFKA, broker_under_test
from tests.support.databases import EmptyDatabases, fresh_dsn

# Examples have no deadline and may be slow to make: a loaded machine must not fail a test.
# Where CI is set the examples are the same each time, which is Hypothesis's own default there: a commit is judged by
# what it changed. Everywhere else they are new each time.
settings.register_profile(
    "spanwise", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("spanwise")

# kafka-python leaves sockets behind where nobody answers, and a later test is blamed when they are collected.
LEFT_BEHIND = pytest.mark.filterwarnings(
    "ignore:unclosed <socket:ResourceWarning",
    "ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On Apache Kafka, leave out what never talks to the broker: it is the same there as in `make test`.

    What its client leaves behind there, where brokers are killed, fails no test.
    """
    if not ON_KAFKA:
        return
    left_out = [item for item in items if not talks_to_the_broker(item)]
    config.hook.pytest_deselected(items=left_out)
    # The schedules take longest and mostly wait: they begin first, on a worker beside the others. The order of pytest's
    # arguments does not say so, since a file inside of a directory that is an argument too comes with that.
    kept = [item for item in items if item not in left_out]
    items[:] = sorted(kept, key=lambda item: item.path.name != "test_schedules.py")
    for item in items:
        item.add_marker(LEFT_BEHIND)


def talks_to_the_broker(item: pytest.Item) -> bool:
    """Whether it takes the broker's address, asks for it by a parameter (`broker-group`), or is for Kafka alone."""
    if item.path.parent.name == "kafka" or "kafka_bootstrap" in getattr(item, "fixturenames", ()):
        return True
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(isinstance(value, str) and re.search("broker|kafka", value) for value in parameters)


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


@pytest.fixture(scope="session")
def empty_databases(chdb_directory: Path) -> EmptyDatabases:
    """Databases with the current schema, lent to one test after the other."""
    return EmptyDatabases(chdb_directory)


@pytest.fixture
def database(empty_databases: EmptyDatabases) -> Iterator[Database]:
    """An empty database with the current schema. Its address is `database.address`."""
    with empty_databases.lend() as database:
        yield database
