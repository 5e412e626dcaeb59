"""Secrets out of the environment, or out of files that it names: `NAME` or `NAME_FILE`."""

from collections.abc import Mapping
from pathlib import Path


class SecretFileError(ValueError):
    """The secret cannot be had; the message names the variable and what to do, never the secret."""


def secret_of(environ: Mapping[str, str], name: str) -> str:
    """The secret in a variable, or in the file that the variable with `_FILE` behind it names.

    Args:
        environ: environment variables.
        name: of the variable.

    Returns:
        The secret without white space around it; empty where neither is set.

    Raises:
        SecretFileError: both are set, or the file cannot be read.
    """
    text, path = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if not path:
        return text
    if text:
        raise SecretFileError(f"{name} and {name}_FILE are both given; leave one of them out")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretFileError(f"{name}_FILE: {path} cannot be read ({error})") from error
