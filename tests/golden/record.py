"""Record anew what the client packages send: `python -m tests.golden.record`."""

import json
import subprocess
import sys
import time
from base64 import b64encode
from gzip import decompress
from pathlib import Path
from typing import Final

from tests.golden.stub import serve

PROGRAMS: Final = ("openinference_openai", "spanwise_sdk")
ROOT: Final = Path(__file__).parents[2]
RECORDED: Final = Path(__file__).parent / "recorded"


def without_folders(body: bytes) -> bytes:
    """A request, unpacked, without this machine's folders; these keep their length, which protobuf has noted."""
    if body.startswith(b"\x1f\x8b"):
        body = decompress(body)
    for folder in (str(ROOT), sys.base_prefix):
        body = body.replace(folder.encode(), b"/" + b"x" * (len(folder.encode()) - 1))
    return body


def record(program: str) -> None:
    """Run one program and store its requests beside the stub's log."""
    with serve() as (address, log):
        command = [sys.executable, "-m", f"tests.golden.programs.{program}", address]
        subprocess.run(command, check=True, timeout=120)
    found = {
        "recorded_ms": int(time.time() * 1000),
        "answers": log.answers,
        "requests": [[path, b64encode(without_folders(body)).decode()] for path, body in log.requests],
    }
    (RECORDED / f"{program}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in PROGRAMS:
        record(name)
