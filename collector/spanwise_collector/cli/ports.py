"""Choosing TCP ports on this machine."""

import socket
from dataclasses import dataclass

from spanwise_collector.cli.errors import UsageError

SEARCH_PORTS = 50
"""How many ports above the default are tried before giving up."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port that was free a moment ago.

    Attributes:
        number: the port.
        note: why it is not the usual one; empty when it is.
    """

    number: int
    note: str = ""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on `host:port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_port(
    *, part: str, option: str, host: str, asked: int | None, usual: int, taken: frozenset[int] = frozenset()
) -> Port:
    """The port that was asked for, or else the usual one, or else the next free one above it.

    Args:
        part: what will listen there, for messages.
        option: the command-line option that sets it.
        host: address to listen on.
        asked: what the user asked for; None when nothing.
        usual: the documented default.
        taken: ports already given to other parts of the same start.

    Raises:
        UsageError: the port that was asked for is not free, or no port near the usual one is.
    """
    if asked is not None:
        if asked in taken or not is_free(host, asked):
            raise UsageError(
                f"Port {asked} for the {part} is taken on {host}. Choose another with {option} PORT, or leave "
                f"{option} out and a free one is found."
            )
        return Port(asked)
    for number in range(usual, usual + SEARCH_PORTS):
        if number not in taken and is_free(host, number):
            return Port(number, "" if number == usual else f"port {usual} is taken")
    raise UsageError(
        f"No free port for the {part} on {host} from {usual} on ({SEARCH_PORTS} tried); name one with {option} PORT."
    )
