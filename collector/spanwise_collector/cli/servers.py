"""`spanwise collector` and `spanwise dashboard`: one part in the foreground, as a cluster runs it."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from spanwise_collector.cli.errors import EXIT_OK, MissingExtraError, UsageError
from spanwise_collector.cli.extras import require


def run_collector(overrides: dict[str, str]) -> int:
    """Run the collector until SIGTERM or SIGINT.

    Args:
        overrides: settings given as options, by their environment names; they win over the environment.

    Returns:
        The exit code.

    Raises:
        UsageError: a setting is wrong; the message names it.
    """
    require("spanwise collector", "collector")
    from spanwise_collector.settings import SettingsError, load

    os.environ.update(overrides)
    try:
        settings = load()
    except SettingsError as error:
        raise UsageError(str(error)) from error
    from spanwise_collector.service import ConfigurationError, serve  # heavy: what is wrong is said before

    try:
        return serve(settings)
    except ConfigurationError as error:
        raise UsageError(str(error)) from error


def run_dashboard(*, api: str, host: str, port: int | None) -> int:
    """Run the dashboard until SIGTERM or SIGINT.

    Args:
        api: base URL of the collector; empty for the dashboard's own setting.
        host: address to listen on; empty for loopback.
        port: port to listen on; None for 8501.

    Returns:
        The exit code.

    Raises:
        MissingExtraError: Streamlit or the dashboard's package is not installed.
        UsageError: it would be open to the network.
    """
    require("spanwise dashboard", "dashboard")
    # Found, not imported: the collector's package and the dashboard's know nothing of each other.
    spec = find_spec("spanwise_dashboard")
    if spec is None or spec.origin is None:
        raise MissingExtraError("The dashboard is not installed. Install it with:  pip install 'spanwise[dashboard]'")
    from streamlit.web.cli import main as streamlit  # heavy: only this command pays for it

    if api:
        os.environ["SPANWISE_API_URL"] = api
    _refuse_open(host, os.environ)
    options = [
        f"--server.address={host or '127.0.0.1'}",
        f"--server.port={port or 8501}",
        "--server.headless=true",
        "--server.fileWatcherType=none",
        "--browser.gatherUsageStats=false",
    ]
    streamlit(["run", *options, str(Path(spec.origin).with_name("app.py"))], standalone_mode=False)
    return EXIT_OK


def _refuse_open(host: str, environ: Mapping[str, str]) -> None:
    """The dashboard says the same on its pages; here it is said before it starts."""
    login = ("SPANWISE_DASHBOARD_PASSWORD", "SPANWISE_DASHBOARD_PASSWORD_FILE", "SPANWISE_DASHBOARD_LOGIN")
    if host in ("", "127.0.0.1", "localhost", "::1") or any(environ.get(name) for name in login):
        return
    raise UsageError(
        f"--host {host}: everybody on the network could come in. Set SPANWISE_DASHBOARD_PASSWORD, or "
        "SPANWISE_DASHBOARD_LOGIN to oidc, or to off where a proxy in front asks for a login; see docs/security.md."
    )
