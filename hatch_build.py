"""Build hook that compiles the transform with mypyc; see docs/decisions/0009-compiled.md.

Off by default. `HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 pip wheel --no-deps .` makes a wheel for this Python and platform in
which the modules below are extension modules beside their sources. It needs a C compiler and Python's headers.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGE: Final = "spanwise_collector"
_SOURCES: Final = ("collector/spanwise_collector", "schemas/spanwise_schemas", "evaluators/spanwise_evaluators")
"""What the compiler reads: the modules and everything of ours that they import."""
MODULES: Final = (
    *(
        f"normalise/{name}"
        for name in (
            "bodies",
            "calls",
            "context",
            "failing",
            "fill",
            "front",
            "labels",
            "plan",
            "raw_attributes",
            "readings",
            "spans",
            "takers",
            "traces",
            "usage",
            "validity",
            "values",
            "where",
            "words",
            "messages/content",
            "messages/genai",
        )
    ),
    *(f"ingest/{name}" for name in ("bills", "cost", "draft")),
    "failures/suspects",
)
"""Modules of the collector through which every span goes."""
_SETUP: Final = """
import sys
from mypyc.build import mypycify
from setuptools import setup

options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--explicit-package-bases"]
setup(
    name="compiled",
    packages=[],
    ext_modules=mypycify(
        [*options, "--cache-dir=cache", *sys.argv.pop().split()], opt_level="3", debug_level="0", group_name="spanwise"
    ),
)
"""


class CompiledTransform(BuildHookInterface[Any]):
    """Adds the compiled modules to a wheel; the checkout itself is left as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell the builder what came out.

        Args:
            version: `standard`, or `editable`, which stays as it is: its sources change.
            build_data: receives the files and that the wheel is for one platform.

        Raises:
            subprocess.CalledProcessError: it cannot be compiled; the compiler's words go before.
        """
        if version == "editable":
            return
        work = Path(tempfile.mkdtemp(prefix="spanwise-mypyc-"))
        self._work = work
        for source in _SOURCES:
            shutil.copytree(Path(self.root, source), work / source, ignore=shutil.ignore_patterns("__pycache__"))
        (work / "setup.py").write_text(_SETUP)
        modules = " ".join(f"collector/{_PACKAGE}/{name}.py" for name in MODULES)
        paths = os.pathsep.join(str(Path(source).parent) for source in _SOURCES)
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "made", modules]
        subprocess.run(command, cwd=work, env={**os.environ, "MYPYPATH": paths}, check=True)  # noqa: S603 - ours alone
        made = work / "made"
        for file in sorted(one for one in made.rglob("*") if one.is_file()):
            build_data["force_include"][str(file)] = file.relative_to(made).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clear away."""
        if version != "editable":
            shutil.rmtree(self._work, ignore_errors=True)
