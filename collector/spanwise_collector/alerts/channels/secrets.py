"""Secrets of channels: named in the file, kept elsewhere, read when they are used."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spanwise_collector.alerts.channels.message import SendError


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is; it is read again at each use, so that a new one needs no restart.

    Attributes:
        env: name of an environment variable; empty where it is in a file.
        file: path of a file, whose last line end does not count; empty where it is in a variable.
        environ: the environment.
    """

    env: str
    file: str
    environ: Mapping[str, str]

    @property
    def is_given(self) -> bool:
        """Whether it is named at all."""
        return bool(self.env or self.file)

    def read(self) -> str:
        """The secret.

        Raises:
            SendError: it is not there; the message says where it should be.
        """
        if self.env:
            found = self.environ.get(self.env, "")
            if not found:
                raise SendError(f"the environment variable {self.env} is not set on the collector that delivers")
            return found
        try:
            found = Path(self.file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SendError(f"{self.file} cannot be read on the collector that delivers ({error})") from None
        if not found:
            raise SendError(f"{self.file} is empty")
        return found


def without(text: str, *secrets: str) -> str:
    """A text with secrets taken out of it, wherever they stand."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text
