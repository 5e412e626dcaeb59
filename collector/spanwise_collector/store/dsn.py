"""Where ClickHouse is: reading the address that a user sets."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

EXAMPLES = "chdb:///var/lib/spanwise or http://user:password@host:8123/database"


@dataclass(frozen=True, slots=True)
class Address:
    """A ClickHouse server or a directory of the embedded engine.

    Attributes:
        interface: `chdb` for the embedded engine, else the protocol.
        path: directory of the embedded engine; empty for a server.
        database: name of the database; made when it does not exist.
    """

    interface: Literal["chdb", "http", "https"]
    path: str = ""
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""
    database: str = "default"

    @property
    def shown(self) -> str:
        """The address for people: without the password."""
        if self.interface == "chdb":
            return f"chdb://{self.path}"
        return f"{self.interface}://{self.host}:{self.port}/{self.database}"


def parse_dsn(dsn: str) -> Address:
    """Read an address.

    Args:
        dsn: `chdb:///absolute/path[?database=name]`, or `http(s)://[user[:password]@]host[:port][/database]`
            (port 8123, with TLS 8443).

    Raises:
        ValueError: with a sentence that says what to write instead. It never contains the password.
    """
    parts = urlsplit(dsn)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = sorted(set(query) - {"database"})
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r} in the ClickHouse address; only ?database= is known")
    if parts.scheme == "chdb":
        if parts.netloc or not parts.path.strip("/"):
            raise ValueError(
                "the address of the embedded engine needs three slashes and an absolute path: chdb:///path"
            )
        return Address("chdb", path=unquote(parts.path), database=query.get("database", "default"))
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"a ClickHouse address starts with chdb://, http:// or https://, for example {EXAMPLES}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port of the ClickHouse address is not a number from 0 to 65535") from None
    if not parts.hostname:
        raise ValueError(f"the ClickHouse address has no host; for example {EXAMPLES}")
    interface: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Address(
        interface,
        host=parts.hostname,
        port=port or (8443 if interface == "https" else 8123),
        username=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=query.get("database") or unquote(parts.path.strip("/")) or "default",
    )


def with_database(dsn: str, database: str) -> str:
    """The address of another database in the same place."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(query=urlencode({"database": database})))
