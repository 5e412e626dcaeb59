"""Fixtures for the SDK's unit tests."""

from collections.abc import Iterator

import pytest

import spanwise
from spanwise._guard import guard
from spanwise._runtime import state


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings from outside, internal errors raise, and nothing stays set up after a test."""
    for name in (
        "SPANWISE_KAFKA",
        "SPANWISE_ENDPOINT",
        "SPANWISE_PROJECT",
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(guard, "reraise", True)
    yield
    spanwise.shutdown(0)
    assert state.runtime is None
