"""Fixtures for the SDK's unit tests."""

from collections.abc import Callable, Iterator

import pytest

import spanwise
from spanwise._client import Client, start_client
from spanwise._config import load
from spanwise._guard import guard
from spanwise._runtime import state
from tests.support.fake_transport import FakeTransport

Start = Callable[..., FakeTransport]


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings from outside, internal errors raise, and nothing stays set up after a test."""
    for name in (
        "SPANWISE_KAFKA",
        "SPANWISE_ENDPOINT",
        "SPANWISE_PROJECT",
        "SPANWISE_API_URL",
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(guard, "reraise", True)
    yield
    spanwise.shutdown(0)
    assert state.runtime is None


@pytest.fixture
def start() -> Iterator[Start]:
    """Sets Spanwise up on a provider of its own and on a fake transport, which it returns."""
    made: list[FakeTransport] = []

    def start_with(transport: FakeTransport | None = None, **settings: object) -> FakeTransport:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        fake = transport or FakeTransport()
        made.append(fake)
        settings.setdefault("tracer_provider", TracerProvider(resource=Resource.get_empty(), shutdown_on_exit=False))
        settings.setdefault("handle_sigterm", False)
        settings.setdefault("linger_ms", 1)
        start_client(Client(load(settings), lambda config, producer: fake))
        return fake

    yield start_with
    for fake in made:
        fake.go_on.set()
