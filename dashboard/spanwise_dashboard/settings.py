"""Settings of the dashboard, all from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_API_URL = "http://127.0.0.1:4318"


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the dashboard needs to know.

    Attributes:
        api_url: address of the collector's HTTP API, without a trailing slash.
        api_timeout_s: how long one request may take before the dashboard gives up, in seconds.
    """

    api_url: str = DEFAULT_API_URL
    api_timeout_s: float = 15.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Reads SPANWISE_API_URL and SPANWISE_API_TIMEOUT_S.

        Raises:
            SettingsError: a value is not an http(s) address, or not a positive number of seconds.
        """
        url = environment.get("SPANWISE_API_URL", "").strip() or DEFAULT_API_URL
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingsError(
                f"SPANWISE_API_URL is {url!r}; it must be the collector's address, such as {DEFAULT_API_URL}"
            )
        text = environment.get("SPANWISE_API_TIMEOUT_S", "").strip() or "15"
        try:
            timeout = float(text)
        except ValueError:
            timeout = 0.0
        if not 0 < timeout <= 300:
            raise SettingsError(f"SPANWISE_API_TIMEOUT_S is {text!r}; it must be between 0 and 300 seconds, such as 15")
        return cls(api_url=url.rstrip("/"), api_timeout_s=timeout)
