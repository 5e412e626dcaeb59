"""The documentation and the code say the same."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.write_configuration import PAGE, page

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(path for path in (ROOT / "examples").rglob("*.md") if "node_modules" not in path.parts),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
PACKAGES = ("sdk", "collector", "dashboard", "schemas", "evaluators")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\bSPANWISE_[A-Z][A-Z0-9_]*[A-Z0-9]\b")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _blocks(path: Path, language: str) -> Iterator[str]:
    for found, text in _BLOCK.findall(path.read_text()):
        if found == language:
            yield text


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_links_resolve(path: Path) -> None:
    """Every link to a file of the repository leads to one, and every anchor to a heading."""
    broken = []
    for target in _LINK.findall(path.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_python_blocks_compile(path: Path) -> None:
    """Python in the documentation is Python: `await` at the top level is allowed, as in a notebook."""
    for block in _blocks(path, "python"):
        compile(block, _name(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_shell_commands_exist(path: Path) -> None:
    """`make` targets, `spanwise` commands and Python modules named in shell blocks exist."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    commands = {
        "up",
        "collector",
        "dashboard",
        "status",
        "explain",
        "keys",
        "reprice",
        "rules",
        "alerts",
        "evals",
        "evaluators",
        "datasets",
        "check",
        "audit",
        "erase",
        "retention",
        "rejects",
        "replay",
        "sql",
        "exports",
        "version",
        "--help",
        "--version",
    }
    unknown = []
    for block in _blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = [word for word in shlex.split(line, comments=True) if "=" not in word]
            match words:
                case ["make", target, *_] if target not in targets:
                    unknown.append(line)
                case ["spanwise" | ".venv/bin/spanwise", command, *_] if command not in commands:
                    unknown.append(line)
                case ["python" | ".venv/bin/python", "-m", module, *_] if not _module_exists(module):
                    unknown.append(line)
                case _:
                    pass

    assert unknown == []


def _module_exists(module: str) -> bool:
    path = ROOT / module.replace(".", "/")
    installed = subprocess.run(
        [sys.executable, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec({module!r}) is None)"],
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    return path.with_suffix(".py").exists() or (path / "__main__.py").exists() or installed.returncode == 0


def test_the_configuration_page_is_the_code_s() -> None:
    """docs/configuration.md is what the settings in the code say; `make docs` writes it again."""
    assert PAGE.read_text() == page()


def test_every_variable_in_the_code_is_documented() -> None:
    """No package reads a `SPANWISE_*` variable that docs/configuration.md does not have."""
    named = {
        variable
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for variable in _VARIABLE.findall(path.read_text())
    }

    assert named - set(_VARIABLE.findall(page())) == set()


def test_every_variable_in_compose_is_in_the_example_file() -> None:
    """`.env.example` lists what compose.yaml reads, with the same defaults."""
    compose = (ROOT / "compose.yaml").read_text()
    read = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", compose)) | dict.fromkeys(re.findall(r"\$\{(\w+):\?", compose), "")
    offered = dict(re.findall(r"^#?(\w+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))

    assert offered == {**read, "CLICKHOUSE_PASSWORD": ""}


def test_the_quickstart_in_the_readme_is_the_example() -> None:
    """The first program that a reader copies is the one that the tests run."""
    blocks = [ast.dump(ast.parse(block)) for block in _blocks(ROOT / "README.md", "python")]
    quickstart = ast.parse((ROOT / "examples" / "quickstart.py").read_text())

    assert _without_docstrings(quickstart) in blocks


def _without_docstrings(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)
