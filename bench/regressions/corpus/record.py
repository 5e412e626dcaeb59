"""Record the corpus anew: `python -m bench.regressions.corpus.record [program ...]`.

Each program runs in an environment of its own, made once by the network, and makes its packages fail for real: tools by
doing what cannot be done, provider clients against a server on this machine that answers with the bodies that the
providers document. Only the exceptions' types and messages are kept, as a span has them. A template is what a body or a
package's format string says; the values in it are drawn from the template's own seed.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from bench.regressions.corpus.read import PATH
from tests.golden.clients.environments import environment

PROGRAMS: Final = Path(__file__).with_name("programs")
TIMEOUT_S: Final = 300


def programs() -> list[str]:
    """Names of all programs."""
    return sorted(one.name for one in PROGRAMS.iterdir() if (one / "run.py").exists())


def record(program: str) -> list[dict[str, Any]]:
    """What a program's packages raised: one entry per template and type, with all messages.

    Raises:
        RuntimeError: when the program fails; the message has its last lines.
    """
    command, packages = environment(PROGRAMS / program)
    with tempfile.TemporaryDirectory() as home:
        variables = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": home,
            "TMPDIR": home,
            "PYTHONPATH": str(PROGRAMS / "shared"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }
        done = subprocess.run(
            command, env=variables, cwd=home, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stderr[-4_000:]}")
        told = done.stdout.replace(home, "/tmp")
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    return [entry | {"packages": named(program, packages)} for entry in entries(lines)]


def named(program: str, packages: dict[str, str]) -> str:
    """The packages of a program's requirements with their versions."""
    listed = (PROGRAMS / program / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.split("==")[0].split("[")[0] for line in listed if "==" in line]
    version = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return ", ".join([f"{one} {packages[one]}" for one in wanted if one in packages] or [version])


def entries(lines: Iterable[dict[str, str]]) -> list[dict[str, Any]]:
    """Lines with the same template, provider and type as one entry."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in lines:
        found.setdefault((line["template"], line["provider"], line["type"]), []).append(line["message"])
    return [
        {"template": template, "provider": provider, "type": kind, "messages": messages}
        for (template, provider, kind), messages in found.items()
    ]


def main(arguments: list[str]) -> int:
    """Record the named programs, or all, and keep the entries of the others."""
    wanted = arguments or programs()
    old = PATH.read_text(encoding="utf-8").splitlines() if PATH.exists() else []
    kept = [entry for entry in map(json.loads, old) if entry["program"] not in wanted]
    new = [{"program": program} | entry for program in wanted for entry in record(program)]
    everything = sorted(kept + new, key=lambda entry: (entry["program"], entry["template"], entry["type"]))
    text = "".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n" for entry in everything)
    PATH.write_text(text, encoding="utf-8")
    templates = {entry["template"] for entry in everything}
    messages = sum(len(entry["messages"]) for entry in everything)
    print(f"{len(templates)} templates, {messages:,} messages, {PATH.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
