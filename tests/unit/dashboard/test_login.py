"""The door of the dashboard: who needs a login, tokens, invitations, wrong passwords."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from spanwise_dashboard.login import WRONG_PER_MINUTE, Attempts, is_invited
from spanwise_dashboard.session_token import LIFETIME, holds, issue, same_password
from spanwise_dashboard.settings import Settings, SettingsError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PASSWORD = "correct horse"
APP = Path(__file__).parents[3] / "dashboard" / "spanwise_dashboard" / "app.py"


@given(st.text(min_size=1), st.timedeltas(timedelta(0), LIFETIME - timedelta(seconds=1)))
def test_a_token_holds_for_its_lifetime_with_its_password(password: str, later: timedelta) -> None:
    """Not longer, and with no other password: a new one ends all sessions."""
    token = issue(password, NOW)

    assert holds(token, password, NOW + later)
    assert not holds(token, password, NOW + LIFETIME)
    assert not holds(token, password + "!", NOW + later)


@given(st.text(max_size=90))
def test_anything_else_is_no_token(text: str) -> None:
    """A cookie is whatever somebody sends: refused, and without an error."""
    assert not holds(text, PASSWORD, NOW)


@given(st.integers(0, 10**12))
def test_the_end_of_a_token_cannot_be_moved(end: int) -> None:
    """It is signed."""
    real = issue(PASSWORD, NOW)

    assert holds(f"{end}.{real.partition('.')[2]}", PASSWORD, NOW) == (str(end) == real.partition(".")[0])


@given(st.text(), st.text())
def test_passwords_are_compared_whole(one: str, other: str) -> None:
    """Also those with characters beyond ASCII."""
    assert same_password(one, other) == (one == other)


@pytest.mark.parametrize(
    ("email", "emails", "expected"),
    [
        ("ann@example.com", ("@example.com",), True),
        ("Ann@Example.com", ("@example.com",), True),
        ("ann@example.com", ("ann@example.com", "@example.org"), True),
        ("bob@example.com", ("ann@example.com", "@example.org"), False),
        ("ann@evil.com@example.com", ("@example.com",), True),
        ("ann@example.com.evil.com", ("@example.com",), False),
        ("ann@notexample.com", ("@example.com",), False),
        ("@example.com", (), False),
        ("", ("@example.com",), False),
        ("", ("*",), True),
        ("example.com", ("@example.com", "example.com"), False),
    ],
)
def test_who_is_invited(email: str, emails: tuple[str, ...], expected: bool) -> None:
    """Addresses, whole domains, or everybody whom the provider lets in."""
    assert is_invited(email, emails) is expected


def test_wrong_passwords_are_slowed_down() -> None:
    """After so many in a minute none is looked at, until the first of them is a minute ago."""
    attempts = Attempts()
    for at in range(WRONG_PER_MINUTE):
        assert attempts.wait_s(float(at)) == 0
        attempts.was_wrong(float(at))

    assert attempts.wait_s(30.0) == 30.0
    assert attempts.wait_s(60.0) == 0
    attempts.was_wrong(60.0)
    assert attempts.wait_s(60.0) == 1.0


def test_who_has_to_log_in() -> None:
    """On this machine nobody, elsewhere somebody has to decide."""
    read = Settings.from_environment
    assert read({}, address="127.0.0.1").dashboard_login == "off"
    assert read({}, address="::1").dashboard_login == "off"
    assert read({"SPANWISE_DASHBOARD_PASSWORD": PASSWORD}, address="127.0.0.1").dashboard_login == "password"
    assert read({"SPANWISE_DASHBOARD_LOGIN": "off"}, address="0.0.0.0").dashboard_login == "off"
    for address in ("", "0.0.0.0", "::", "10.0.0.7", "example.com"):
        with pytest.raises(SettingsError, match=r"everybody could come in\. Set SPANWISE_DASHBOARD_PASSWORD"):
            read({}, address=address)


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """Of a container's secrets; and they are shown nowhere."""
    for name in ("key", "password"):
        (tmp_path / name).write_text(f"{name} of a file\n")

    found = Settings.from_environment(
        {
            "SPANWISE_API_KEY_FILE": str(tmp_path / "key"),
            "SPANWISE_DASHBOARD_PASSWORD_FILE": str(tmp_path / "password"),
        }
    )

    assert (found.api_key, found.dashboard_password) == ("key of a file", "password of a file")
    assert "of a file" not in repr(found)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"SPANWISE_DASHBOARD_PASSWORD": "short"}, "SPANWISE_DASHBOARD_PASSWORD has 5 characters.*at least 12"),
        ({"SPANWISE_DASHBOARD_LOGIN": "password"}, "SPANWISE_DASHBOARD_PASSWORD has 0 characters"),
        ({"SPANWISE_DASHBOARD_LOGIN": "saml"}, "SPANWISE_DASHBOARD_LOGIN is 'saml'.*password, oidc or off"),
        ({"SPANWISE_DASHBOARD_LOGIN": "oidc"}, "SPANWISE_DASHBOARD_EMAILS is empty.*who may come in"),
        ({"SPANWISE_API_KEY_FILE": "/nowhere"}, "SPANWISE_API_KEY_FILE: /nowhere cannot be read"),
        (
            {"SPANWISE_API_KEY_FILE": "/x", "SPANWISE_API_KEY": "k"},
            "SPANWISE_API_KEY and SPANWISE_API_KEY_FILE are both",
        ),
    ],
)
def test_what_keeps_nobody_out_is_refused(environment: dict[str, str], message: str) -> None:
    """The message names the setting and what to write."""
    with pytest.raises(SettingsError, match=message):
        Settings.from_environment(environment)


def test_open_to_the_network_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a login, and without loopback, the page says what to set."""
    monkeypatch.delenv("SPANWISE_DASHBOARD_LOGIN")

    page = AppTest.from_file(str(APP), default_timeout=30).run()

    assert "settings cannot be used" in page.subheader[0].value
    assert "everybody could come in" in page.text[0].value
