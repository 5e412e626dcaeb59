"""The public surface, what importing it costs, and what installing it brings."""

import json
import subprocess
import sys
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import spanwise
from spanwise.testing import Capture


def test_all_names_are_public_and_all_public_names_are_listed() -> None:
    """`__all__` is the surface; everything else is a private module, or one of the public ones."""
    # pytest rewrites assertions in plugin packages and leaves names such as "@py_builtins" behind.
    found = {name for name in vars(spanwise) if name.isidentifier() and not name.startswith("_")}
    public = found - {"testing", "pytest_plugin", "experiments"}

    assert sorted(spanwise.__all__) == sorted(public)


def test_every_public_name_says_what_it_is() -> None:
    """Docstrings everywhere; `Kind` is a list of literals and cannot have one."""
    undocumented = [name for name in spanwise.__all__ if name != "Kind" and not getattr(spanwise, name).__doc__]

    assert undocumented == []


def test_importing_brings_nothing_heavy() -> None:
    """Kafka, protobuf, pydantic, HTTP and the OpenTelemetry SDK are imported when they are needed."""
    code = "import sys, json, spanwise; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout
    )

    heavy = (
        "kafka",
        "google.protobuf",
        "pydantic",
        "requests",
        "lz4",
        "opentelemetry.sdk",
        "asyncio",
        "multiprocessing",
        "spanwise_evaluators",
        "hashlib",
    )
    assert [name for name in modules if name.startswith(heavy)] == []


def test_loading_the_pytest_plugin_imports_nothing_of_spanwise() -> None:
    """It is loaded in every pytest run where Spanwise is installed."""
    code = "import sys, json, spanwise.pytest_plugin; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout
    )

    assert [name for name in modules if name.startswith("opentelemetry.sdk")] == []


def test_installing_brings_at_most_25_packages() -> None:
    """Spanwise itself included."""
    seen: set[str] = set()

    def visit(name: str) -> None:
        if canonicalize_name(name) in seen:
            return
        seen.add(canonicalize_name(name))
        for text in distribution(name).requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                visit(requirement.name)

    visit("spanwise")

    assert len(seen) <= 25


def test_the_fixture_is_there_without_any_import(spanwise_capture: Capture) -> None:
    """Pytest finds it through the entry point."""
    with spanwise.span("x"):
        pass

    assert [span["name"] for span in spanwise_capture.spans] == ["x"]
