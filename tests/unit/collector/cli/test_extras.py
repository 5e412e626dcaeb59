"""What commands say when packages are missing."""

import re
import tomllib
from pathlib import Path

import pytest

from spanwise_collector.cli.errors import EXIT_MISSING, MissingExtraError
from spanwise_collector.cli.extras import MODULES_OF_EXTRA, require

_MODULES = {"googleapis-common-protos": "google.rpc", "grpcio": "grpc"}
"""Packages whose modules have another name."""
ROOT = Path(__file__).parents[4]


def test_everything_installed_is_enough() -> None:
    """Nothing is raised where every module is there."""
    require("spanwise up", "collector", "dashboard", installed=lambda _module: True)


def test_what_is_missing_is_named_with_the_line_that_installs_it() -> None:
    """The message has the modules, the extra that brings them, and the exit code says so to scripts."""
    with pytest.raises(MissingExtraError) as caught:
        require("spanwise up", "collector", "dashboard", installed=lambda module: module not in ("fastapi", "uvicorn"))

    assert (caught.value.exit_code, str(caught.value)) == (
        EXIT_MISSING,
        "`spanwise up` needs packages that are not installed: fastapi, uvicorn.\n"
        "Install them with:  pip install 'spanwise[collector]'  "
        "(or everything for one machine: pip install 'spanwise[all]')",
    )


def test_the_modules_are_those_of_the_extras() -> None:
    """The list in the command and the extras in pyproject.toml name the same packages."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    declared = {
        extra: tuple(_MODULES.get(name, name.replace("-", "_")) for name in _names(extras[extra]))
        for extra in MODULES_OF_EXTRA
    }

    assert declared == MODULES_OF_EXTRA


def _names(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=;\[ ]", line)[0] for line in requirements]
