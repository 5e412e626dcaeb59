"""Where exports go: a directory of the engine, or a bucket of S3-compatible storage. Pure."""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Protocol

from spanwise_collector.sql_evals.lexer import quoted_text


class Place(Protocol):
    """Somewhere to write files."""

    def shown(self, path: str) -> str:
        """A file for people: without credentials."""
        ...

    def function(self, path: str, kind: str, structure: str = "") -> str:
        """The table function of ClickHouse that writes a file.

        Args:
            path: below the place.
            kind: ClickHouse's name of the format.
            structure: columns with types; "" takes those of what is inserted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory: for the embedded engine any, for a server one inside its `user_files_path`.

    Attributes:
        root: absolute path.
    """

    root: PurePath

    def shown(self, path: str) -> str:
        """See `Place.shown`."""
        return str(self.root / path)

    def function(self, path: str, kind: str, structure: str = "") -> str:
        """See `Place.function`."""
        return f"file({_listed(self.shown(path), kind, structure)})"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or a prefix in it.

    Attributes:
        url: `https://host/bucket/prefix`.
        key_id: access key; "" for what the engine finds in its own environment.
        secret: of the key.
    """

    url: str
    key_id: str = ""
    secret: str = field(default="", repr=False)

    def shown(self, path: str) -> str:
        """See `Place.shown`."""
        return f"{self.url.rstrip('/')}/{path}"

    def function(self, path: str, kind: str, structure: str = "") -> str:
        """See `Place.function`. ClickHouse hides the secret of this function in its logs."""
        credentials = (self.key_id, self.secret) if self.key_id else ()
        return f"s3({_listed(self.shown(path), *credentials, kind, structure)})"


def _listed(*arguments: str) -> str:
    return ", ".join(quoted_text(one) for one in arguments if one)
