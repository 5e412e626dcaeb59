"""Choosing ports."""

import socket
from collections.abc import Iterator

import pytest

from spanwise_collector.cli.errors import UsageError
from spanwise_collector.cli.ports import Port, choose_port, is_free
from spanwise_collector.embedded.broker import free_port

HOST = "127.0.0.1"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that something listens on."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_that_was_asked_for_is_taken_as_it_is() -> None:
    """A port that was asked for and is free is used, without a remark."""
    port = free_port()

    assert choose_port(part="collector", option="--port", host=HOST, asked=port, usual=1) == Port(port)


def test_a_taken_port_that_was_asked_for_is_refused_with_the_option(taken_port: int) -> None:
    """Whoever asks for a port gets that one or an error that names the option; never silently another."""
    with pytest.raises(UsageError) as caught:
        choose_port(part="dashboard", option="--dashboard-port", host=HOST, asked=taken_port, usual=1)

    assert str(caught.value) == (
        f"Port {taken_port} for the dashboard is taken on 127.0.0.1. Choose another with --dashboard-port PORT, or "
        "leave --dashboard-port out and a free one is found."
    )


def test_a_taken_usual_port_gives_way_to_the_next_free_one(taken_port: int) -> None:
    """Without a wish the next free port is taken, and the reason is said."""
    port = choose_port(part="collector", option="--port", host=HOST, asked=None, usual=taken_port)

    assert (port.number > taken_port, port.note) == (True, f"port {taken_port} is taken")


def test_ports_of_other_parts_are_not_given_twice() -> None:
    """A port that an earlier part of the same start will use is passed over although nothing listens there yet."""
    first = free_port()

    port = choose_port(part="collector", option="--port", host=HOST, asked=None, usual=first, taken=frozenset({first}))

    assert (port.number > first, port.note) == (True, f"port {first} is taken")


def test_is_free_sees_a_listening_server(taken_port: int) -> None:
    """A port with a server on it is not free."""
    assert not is_free(HOST, taken_port)
