"""The door of the dashboard: a password that a team shares, or an OpenID Connect provider."""

import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
import streamlit as st

from spanwise_dashboard.components.mount import mount
from spanwise_dashboard.session_token import LIFETIME, holds, issue, same_password
from spanwise_dashboard.settings import Settings, SettingsError

COOKIE: Final = "spanwise_session"
WRONG_PER_MINUTE: Final = 20
"""Wrong passwords of all browsers together; then none is looked at for a while. 12 characters outlast that."""
_WINDOW_S: Final = 60.0
_IN: Final = "signed-in"
_OUT: Final = "signed-out"
_AWAY: Final = "provider-away"
_PROVIDER_S: Final = 5.0


class Attempts:
    """Counts wrong passwords. Used by all sessions of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wrong: deque[float] = deque(maxlen=WRONG_PER_MINUTE)

    def wait_s(self, now: float) -> float:
        """Seconds until a password is looked at again; 0 for now."""
        with self._lock:
            if len(self._wrong) < WRONG_PER_MINUTE:
                return 0.0
            return max(0.0, self._wrong[0] + _WINDOW_S - now)

    def was_wrong(self, now: float) -> None:
        """Count one."""
        with self._lock:
            self._wrong.append(now)


def admitted(settings: Settings) -> bool:
    """Whether the person at the browser may see the dashboard; if not, the page asks who they are.

    Raises:
        SettingsError: the provider is not configured.
    """
    if settings.dashboard_login == "off":
        return True
    return _by_provider(settings) if settings.dashboard_login == "oidc" else _by_password(settings)


def leaving(settings: Settings) -> None:
    """The way out, for the sidebar."""
    if settings.dashboard_login == "oidc":
        st.button(f"Sign out {st.user.get('email') or ''}".strip(), key="sign-out", on_click=st.logout, type="tertiary")
    elif settings.dashboard_login == "password":
        st.button("Sign out", key="sign-out", on_click=_sign_out, type="tertiary")


def is_invited(email: str, emails: tuple[str, ...]) -> bool:
    """Whether an address of a provider is among those that may come in.

    Args:
        email: as the provider tells it.
        emails: see `Settings`.
    """
    email = email.strip().lower()
    _, at, domain = email.rpartition("@")
    return "*" in emails or (bool(at) and (email in emails or f"@{domain}" in emails))


def _by_password(settings: Settings) -> bool:
    now = datetime.now(UTC)
    token = str(st.session_state.get(_IN, ""))
    if not token and not st.session_state.get(_OUT):
        token = st.context.cookies.get(COOKIE, "")
    if not holds(token, settings.dashboard_password, now):
        if st.session_state.get(_OUT):
            _remember("", 0)
        _ask(settings, now)
        return False
    if st.session_state.get(_IN):
        # On each run, since a component that is not mounted any more does nothing.
        _remember(token, int(LIFETIME.total_seconds()))
    return True


def _ask(settings: Settings, now: datetime) -> None:
    with st.container(key="sign-in", width=360), st.form("sign-in-form", border=True):
        st.subheader("Sign in to Spanwise", anchor=False)
        given = st.text_input("Password", type="password", key="sign-in-password", autocomplete="current-password")
        if not st.form_submit_button("Sign in", type="primary", width="stretch"):
            return
        attempts = _attempts()
        wait = attempts.wait_s(time.monotonic())
        if wait:
            st.error(f"Too many wrong passwords. Try again in {wait:.0f} s.", icon=":material/timer:")
        elif same_password(given, settings.dashboard_password):
            st.session_state[_IN] = issue(settings.dashboard_password, now)
            st.session_state.pop(_OUT, None)
            st.rerun()
        else:
            attempts.was_wrong(time.monotonic())
            st.error("That is not the password. Whoever runs Spanwise knows it.", icon=":material/error:")


def _sign_out() -> None:
    st.session_state.pop(_IN, None)
    st.session_state[_OUT] = True


def _remember(token: str, seconds: int) -> None:
    """Have the browser keep the token, so that a reload or another tab does not ask again."""
    mount("cookie", {"name": COOKIE, "value": token, "seconds": seconds}, key="session-cookie")


@st.cache_resource(show_spinner=False)
def _attempts() -> Attempts:
    return Attempts()


def _by_provider(settings: Settings) -> bool:
    if "auth" not in st.secrets:
        raise SettingsError(
            "SPANWISE_DASHBOARD_LOGIN is oidc, and Streamlit knows no provider: put [auth] with redirect_uri, "
            "cookie_secret, client_id, client_secret and server_metadata_url into .streamlit/secrets.toml"
        )
    if not st.user.is_logged_in:
        with st.container(key="sign-in", width=360, border=True):
            st.subheader("Sign in to Spanwise", anchor=False)
            st.button("Sign in", key="sign-in-oidc", on_click=_to_provider, type="primary", width="stretch")
            if problem := st.session_state.pop(_AWAY, ""):
                st.error(problem, icon=":material/error:")
        return False
    # An address that the provider has not verified, or does not say so of, could be anybody's.
    email = str(st.user.get("email") or "") if st.user.get("email_verified") in (True, "true") else ""
    if is_invited(email, settings.dashboard_emails):
        return True
    with st.container(key="sign-in", width=360, border=True):
        st.subheader(":material/block: Not invited", anchor=False)
        st.text(f"{email or 'Your account, which has no verified address,'} is not among those that may come in here.")
        st.text("Whoever runs Spanwise adds it to SPANWISE_DASHBOARD_EMAILS.")
        st.button("Sign in with another account", key="sign-out", on_click=st.logout)
    return False


def _to_provider() -> None:
    """Send the browser to the provider, or say that it does not answer: Streamlit would show an empty page."""
    address = str(st.secrets["auth"].get("server_metadata_url", ""))
    try:
        httpx.get(address, timeout=_PROVIDER_S, follow_redirects=True).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL):
        host = urlsplit(address).netloc or address
        st.session_state[_AWAY] = (
            f"The identity provider at {host} does not answer. Try again; if that lasts, tell whoever runs Spanwise."
        )
    else:
        st.login()
