"""Each client's own environment, outside the tree: made once for one set of requirements, then used again."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
"""This checkout; `{root}` in a requirements.txt."""
INSTALL_TIMEOUT_S: Final = 900


class InstallError(RuntimeError):
    """A client's environment could not be made."""


def cache_folder() -> Path:
    """Where environments are kept: `SPANWISE_GOLDEN_CACHE`, else a folder in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("SPANWISE_GOLDEN_CACHE") or Path(base) / "spanwise-golden")


def environment(program: Path) -> tuple[list[str], dict[str, str]]:
    """The command that runs a program in its environment, and the packages in there with their versions.

    Args:
        program: folder with `run.py` and `requirements.txt`, or `run.mjs` and `package.json`.

    Raises:
        InstallError: when it cannot be made; the message has the installer's last lines.
    """
    is_python = (program / "run.py").exists()
    wanted = program / ("requirements.txt" if is_python else "package.json")
    if not wanted.exists():
        raise InstallError(f"{program.name} has no run.py with requirements.txt and no run.mjs with package.json")
    key = sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = cache_folder() / f"{program.name}-{key}"
    if not (folder / ".ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (_install_python if is_python else _install_node)(folder, wanted)
        (folder / ".ready").touch()
    if is_python:
        return [str(folder / "bin/python"), str(program / "run.py")], _python_packages(folder)
    # Node looks for packages beside the program.
    shutil.copytree(program, folder, dirs_exist_ok=True)
    return ["node", str(folder / "run.mjs")], _node_packages(folder)


def _install_python(folder: Path, listed: Path) -> None:
    wanted = folder / "requirements.txt"
    wanted.write_text(listed.read_text(encoding="utf-8").replace("{root}", str(ROOT)), encoding="utf-8")
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        _run([str(uv), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)])
        _run([str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "-r", str(wanted)])
        return
    _run([sys.executable, "-m", "venv", str(folder)])
    _run([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "-r", str(wanted)])


def _install_node(folder: Path, wanted: Path) -> None:
    shutil.copy(wanted, folder / "package.json")
    npm = shutil.which("npm")
    if npm is None:
        raise InstallError("npm was not found; install Node 20 or later")
    _run([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False)
    if done.returncode:
        raise InstallError(f"{' '.join(command)} failed:\n{(done.stderr or done.stdout)[-2_000:]}")


def _python_packages(folder: Path) -> dict[str, str]:
    code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run(
        [str(folder / "bin/python"), "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return dict(sorted(json.loads(done.stdout).items()))


def _node_packages(folder: Path) -> dict[str, str]:
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    named = {name.removeprefix("node_modules/"): one.get("version", "") for name, one in lock["packages"].items()}
    return {name: version for name, version in sorted(named.items()) if name and "node_modules/" not in name}
