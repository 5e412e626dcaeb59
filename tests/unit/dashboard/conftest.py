"""What all tests of the dashboard's pages need."""

import pytest


@pytest.fixture(autouse=True)
def no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages run without a server, so nothing says that they are reached from this machine alone."""
    monkeypatch.setenv("SPANWISE_DASHBOARD_LOGIN", "off")
