"""Who may send and ask, and for which project."""

import base64
import binascii
import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from spanwise_collector.normalise.context import clean_project
from spanwise_collector.receive.errors import NotTakenError, Reason
from spanwise_collector.receive.keys import ANY_PROJECT, KeyRing, Scope, is_project, project_rule, same_secret
from spanwise_schemas import attributes as names

PROJECT_HEADER: Final = "x-spanwise-project"
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody may do, out of what was asked for.

    Attributes:
        projects: that are open to it, its own one first; None for all.
        chosen: the project that the request's header names; empty for none.
        who: in sentences: the key, or the place.
    """

    projects: tuple[str, ...] | None = None
    chosen: str = ""
    who: str = "this sender"

    def project_of(self, resource: Any) -> str:
        """The project for the items of a resource; empty leaves it to what the resource says.

        Raises:
            NotTakenError: the resource names a project that the key may not write to.
        """
        if self.chosen or self.projects is None:
            return self.chosen
        named = next(
            (pair.value.string_value for pair in resource.attributes if pair.key == names.PROJECT and pair.value), ""
        )
        if not named:
            return self.projects[0]
        return self.allowed(clean_project(named), f"the resource attribute {names.PROJECT}")

    def choose(self, project: str) -> "Access":
        """The same for a request whose header names a project.

        Raises:
            NotTakenError: it is no name, or not allowed.
        """
        if not is_project(project):
            raise NotTakenError(Reason.BAD_BODY, f"{PROJECT_HEADER}: {project_rule(project)}.")
        return Access(self.projects, self.allowed(project, f"the header {PROJECT_HEADER}"), self.who)

    def allowed(self, project: str, where: str) -> str:
        """The project, when it is open.

        Args:
            project: that was named.
            where: it was named, for the sentence.

        Raises:
            NotTakenError: it is not.
        """
        if self.projects is not None and project not in self.projects:
            raise NotTakenError(
                Reason.NOT_ALLOWED,
                f"{where[0].upper()}{where[1:]} names the project {project!r}; {self.who} is for "
                f"{', '.join(map(repr, self.projects))}. Use a key of that project, or leave the name out.",
            )
        return project


class Doorkeeper:
    """Lets requests in."""

    def __init__(
        self, ring: Callable[[], KeyRing | None], now: Callable[[], datetime], *, operator_key: str = ""
    ) -> None:
        """Stand at the door.

        Args:
            ring: the keys as they are now; None when none are configured.
            now: current time, UTC.
            operator_key: a secret that opens everything; empty for none.
        """
        self._ring = ring
        self._now = now
        self._operator_key = operator_key

    def admit(self, headers: Mapping[str, str], peer: str, scope: Scope = "ingest") -> Access:
        """What the sender of a request may do.

        Args:
            headers: of the request, names in lower case.
            peer: address of the socket's other end; empty when it has none.
            scope: what it wants to do.

        Raises:
            NotTakenError: no key, a wrong one, or one without the right to do that there.
        """
        ring = self._ring()
        offered = list(_secrets(headers))
        if self._operator_key and any(same_secret(one, self._operator_key) for one in offered):
            access = Access(who="the operator's key")
        else:
            access = _local(headers, peer) if ring is None else self._keyed(ring, offered, scope)
        project = headers.get(PROJECT_HEADER, "").strip()
        return access.choose(project) if project else access

    def _keyed(self, ring: KeyRing, offered: Sequence[str], scope: Scope) -> Access:
        if not offered:
            raise NotTakenError(
                Reason.NO_KEY,
                "An API key is needed. Send it as `Authorization: Bearer sw_...` or `x-api-key: sw_...` "
                "(OTEL_EXPORTER_OTLP_HEADERS=x-api-key=sw_...).",
            )
        key = next((found for found in map(ring.find, offered) if found is not None), None)
        if key is None:
            raise NotTakenError(
                Reason.NO_KEY, "The API key is not known. `spanwise keys list` shows which there are, without secrets."
            )
        if key.expires is not None and key.expires <= self._now():
            raise NotTakenError(
                Reason.NO_KEY, f"The API key {key.id} has expired. Make another one with `spanwise keys create`."
            )
        if scope not in key.scopes:
            raise NotTakenError(
                Reason.NOT_ALLOWED,
                f"The API key {key.id} has the scope {' and '.join(key.scopes)}; this needs {scope}. Make a key with "
                f"`spanwise keys create --scope {scope}`.",
            )
        return Access(None if key.projects == (ANY_PROJECT,) else key.projects, who=f"the key {key.id}")


def _local(headers: Mapping[str, str], peer: str) -> Access:
    # A proxy on this machine speaks for others: what it forwards does not come from here. The headers are believed
    # only where they take trust away.
    if not is_loopback(peer) or any(name in headers for name in _FORWARDED):
        raise NotTakenError(
            Reason.NO_KEY,
            "No API keys are configured, so only this machine is served. Make a key with `spanwise keys create "
            "--project NAME`, name its file in SPANWISE_KEYS_FILE, and send it as `Authorization: Bearer sw_...`.",
        )
    return Access()


def is_loopback(peer: str) -> bool:
    """Whether an address is this machine's own, also an IPv4 address in IPv6 form."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """Everything that may be a key, in the places where clients put it."""
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        yield rest.strip()
    elif scheme.lower() == "basic":
        # Langfuse's clients send a public and a secret key as user name and password; ours may be either.
        with suppress(binascii.Error, UnicodeDecodeError):
            user, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
            yield from (password, user)
    if headers.get("x-api-key"):
        yield headers["x-api-key"].strip()
