"""The example of an experiment in CI, run as its README says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from spanwise_collector.store.database import Database
from tests.support.curated import curated_app, served
from tests.support.running import ROOT, clean_environ


def ran(command: list[str], directory: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command in a directory."""
    return subprocess.run(
        command, cwd=directory, env=dict(environ), capture_output=True, text=True, timeout=240, check=False
    )


def test_the_tests_pass_and_fail_as_told(tmp_path: Path) -> None:
    """With the old prompt they pass; with the new one the message has the limit and the table."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environ = clean_environ(PYTHONPATH=str(tmp_path))
    command = [sys.executable, "-m", "pytest", "-q", "examples/experiment_ci"]
    fine = ran(command, tmp_path, environ)
    worse = ran(command, tmp_path, {**environ, "APP_PROMPT": "v2"})

    assert (fine.returncode, worse.returncode) == (0, 1), fine.stdout + fine.stderr
    assert "exact: 0.667 is below 0.95" in worse.stdout


def test_the_check_proves_the_regression(database: Database, tmp_path: Path) -> None:
    """What CI runs for the branch exits with 1 and leaves its files; against itself the main branch is fine."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    bin_directory = str(Path(sys.executable).parent)
    with served(curated_app(database)) as url:
        environ = clean_environ(
            PYTHONPATH=str(tmp_path), SPANWISE_API_URL=url, PATH=f"{bin_directory}:{os.environ['PATH']}"
        )
        first = ran([sys.executable, "-m", "examples.experiment_ci.run", "--name", "main"], tmp_path, environ)
        assert first.returncode == 0, first.stderr
        branch = {**environ, "BRANCH": "pr-17", "APP_PROMPT": "v2"}
        second = ran(["sh", "examples/experiment_ci/check.sh"], tmp_path, branch)
        same = ran(["spanwise", "check", "--baseline", "main", "--candidate", "main"], tmp_path, environ)

    assert "main: 45 items, 0 errors" in first.stdout
    assert second.returncode == 1, second.stdout + second.stderr
    assert "The check fails: worse: exact." in second.stdout
    assert ET.parse(tmp_path / "check.xml").getroot()[0].get("failures") == "1"
    assert "❌ worse" in (tmp_path / "check.md").read_text()
    assert (same.returncode, "No regression is proven." in same.stdout) == (0, True)
