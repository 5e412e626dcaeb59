"""Where a command finds a collector, and the key that it shows there."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from spanwise_collector.cli.datadir import DataDirectory
from spanwise_collector.cli.errors import CommandError, UsageError
from spanwise_schemas.secret_files import SecretFileError, secret_of


class Address(NamedTuple):
    """A collector's base URL and an API key, empty for none."""

    url: str
    key: str


def address(api: str, data_dir: Path, environ: Mapping[str, str] = os.environ) -> Address:
    """The collector at a URL, else that of the `spanwise up` in a directory.

    The key is that of SPANWISE_API_KEY, of the file SPANWISE_API_KEY_FILE, else the one of that `spanwise up`.

    Args:
        api: base URL, or empty.
        data_dir: of the `spanwise up` to ask; not used when `api` is given.
        environ: environment variables.

    Raises:
        CommandError: none runs there.
        UsageError: the file with the key cannot be read.
    """
    key = _key(environ)
    if api:
        return Address(api.rstrip("/"), key)
    state = DataDirectory(data_dir).read_state()
    if state is None:
        raise CommandError(f"No `spanwise up` runs in {data_dir}. Start it, or name a collector with --api URL.")
    return Address(state.collector, key or state.key)


def _key(environ: Mapping[str, str]) -> str:
    try:
        return secret_of(environ, "SPANWISE_API_KEY")
    except SecretFileError as error:
        raise UsageError(f"{error}.") from error
