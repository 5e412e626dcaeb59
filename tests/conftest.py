"""Fixtures for all suites."""

from collections.abc import Iterator

import pytest

from tests.support.brokers import packaged_broker


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the broker under test; topics are each test's own (use unique names)."""
    with packaged_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.bootstrap
