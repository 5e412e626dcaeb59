"""Which addresses notifications may go to over HTTP: public ones, and private ones that are allowed by name.

A host is resolved once, its address is checked, and that address is connected to: a name that means another address a
moment later leads nowhere.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from spanwise_collector.alerts.channels.message import SendError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks from text, separated by commas.

    Raises:
        ValueError: one is none; the message says which and what to write.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError:
            raise ValueError(
                f"{part!r} is no network; write addresses or networks such as 10.0.0.0/8 or 192.168.1.7, "
                "several separated by commas"
            ) from None
    return tuple(found)


def may_be_reached(address: IpAddress, allowed: Sequence[Network]) -> bool:
    """Whether an address is public, or in one of the networks. An IPv4 address inside an IPv6 one is what counts."""
    real = _inner(address)
    if any(real in network for network in allowed if network.version == real.version):
        return True
    return real.is_global and not real.is_multicast


def _inner(address: IpAddress) -> IpAddress:
    if isinstance(address, ipaddress.IPv6Address):
        if inner := address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]:
            return inner
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


async def resolve(host: str, port: int, allowed: Sequence[Network]) -> IpAddress:
    """The address to connect to.

    Raises:
        SendError: the name is unknown, or all of its addresses are private and not allowed.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise SendError(f"the host {host} is not found ({error.strerror or error})") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if may_be_reached(address, allowed):
            return address
    raise SendError(
        f"{host} is {addresses[0]}, an address that is not public; allow it with "
        "SPANWISE_ALERTS_PRIVATE_NETWORKS if it is meant"
    )
