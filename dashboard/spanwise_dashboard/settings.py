"""Settings of the dashboard, all from the environment."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from spanwise_schemas.secret_files import SecretFileError, secret_of

DEFAULT_API_URL = "http://127.0.0.1:4318"
MIN_PASSWORD: Final = 12
"""Characters of the shared password at least."""
Login = Literal["off", "password", "oidc"]


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and says what it should be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the dashboard needs to know.

    Attributes:
        api_url: address of the collector's HTTP API, without a trailing slash.
        api_timeout_s: how long one request may take before the dashboard gives up, in seconds.
        api_key: shown to the API; empty for none.
        dashboard_login: how people say who they are: `password`, `oidc` or `off`; `password` where
            one is given, else `off`, which only this machine gets.
        dashboard_password: that all of them share, with the login `password`.
        dashboard_emails: who may come in with the login `oidc`: addresses, `@domain` for all of a domain, `*` for
            everybody whom the provider lets in.
    """

    api_url: str = DEFAULT_API_URL
    api_timeout_s: float = 15.0
    api_key: str = field(default="", repr=False)
    dashboard_login: Login = "off"
    dashboard_password: str = field(default="", repr=False)
    dashboard_emails: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, *, address: str = "127.0.0.1") -> "Settings":
        """Reads the variables SPANWISE_API_* and SPANWISE_DASHBOARD_*; secrets also from files that `*_FILE` names.

        Args:
            environment: variables.
            address: that the dashboard listens on; empty for all of this machine.

        Raises:
            SettingsError: a value cannot be used, or anybody on the network could come in.
        """
        url = environment.get("SPANWISE_API_URL", "").strip() or DEFAULT_API_URL
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise SettingsError(
                f"SPANWISE_API_URL is {url!r}; it must be the collector's address, such as {DEFAULT_API_URL}"
            )
        password = _secret(environment, "SPANWISE_DASHBOARD_PASSWORD")
        login = _login(environment, password, address)
        emails = tuple(
            one.strip().lower() for one in environment.get("SPANWISE_DASHBOARD_EMAILS", "").split(",") if one.strip()
        )
        if login == "oidc" and not emails:
            raise SettingsError(
                "SPANWISE_DASHBOARD_EMAILS is empty; it must say who may come in, such as @example.com or "
                "ann@example.org, or * for everybody whom the provider lets in"
            )
        return cls(
            api_url=url.rstrip("/"),
            api_timeout_s=_timeout(environment),
            api_key=_secret(environment, "SPANWISE_API_KEY"),
            dashboard_login=login,
            dashboard_password=password,
            dashboard_emails=emails,
        )


def _timeout(environment: Mapping[str, str]) -> float:
    text = environment.get("SPANWISE_API_TIMEOUT_S", "").strip() or "15"
    try:
        timeout = float(text)
    except ValueError:
        timeout = 0.0
    if not 0 < timeout <= 300:
        raise SettingsError(f"SPANWISE_API_TIMEOUT_S is {text!r}; it must be between 0 and 300 seconds, such as 15")
    return timeout


def _login(environment: Mapping[str, str], password: str, address: str) -> Login:
    given = environment.get("SPANWISE_DASHBOARD_LOGIN", "").strip()
    if not given:
        if not password and not is_loopback(address):
            raise SettingsError(
                f"The dashboard listens on {address or 'all addresses'}, and everybody could come in. Set "
                "SPANWISE_DASHBOARD_PASSWORD, or SPANWISE_DASHBOARD_LOGIN to oidc, or to off where a proxy in front "
                "asks for a login"
            )
        given = "password" if password else "off"
    if given == "password":
        if len(password) < MIN_PASSWORD:
            raise SettingsError(
                f"SPANWISE_DASHBOARD_PASSWORD has {len(password)} characters; it must have at least {MIN_PASSWORD}"
            )
        return "password"
    if given == "oidc":
        return "oidc"
    if given == "off":
        return "off"
    raise SettingsError(f"SPANWISE_DASHBOARD_LOGIN is {given!r}; it must be password, oidc or off")


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _secret(environment: Mapping[str, str], name: str) -> str:
    try:
        return secret_of(environment, name)
    except SecretFileError as error:
        raise SettingsError(str(error)) from error
