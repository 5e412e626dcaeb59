"""Fuzzes the decoders: `python -m tests.fuzz --seconds 20`; one JSON line per target, exit code 1 after a finding.

An input that broke something is written to `.fuzz/`, and is repeated with `python -m tests.fuzz.one TARGET FILE`.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import MAX_BYTES, TARGETS, seeds

FOUND = Path(".fuzz")
GRACE_S = 120


def main() -> int:
    """Run the targets, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20, metavar="S", help="per target (default: 20)")
    parser.add_argument("--target", choices=[*TARGETS], action="append", help="only this one; several times for more")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the fuzzer; 0 takes another each time")
    options = parser.parse_args()
    FOUND.mkdir(exist_ok=True)
    return max(fuzz(name, options.seconds, options.seed) for name in options.target or TARGETS)


def fuzz(name: str, seconds: int, seed: int) -> int:
    """Fuzz one target; 1 when something broke."""
    with tempfile.TemporaryDirectory() as corpus:
        for body in seeds(name):
            Path(corpus, hashlib.sha256(body).hexdigest()).write_bytes(body)
        limits = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-rss_limit_mb=2048", "-timeout=20"]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.one", name, corpus),
                *(*limits, f"-seed={seed}", "-print_final_stats=1", f"-artifact_prefix={FOUND}/{name}-"),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + GRACE_S,
            check=False,
        )
    told = done.stderr + done.stdout
    runs = re.search(r"number_of_executed_units:\s*(\d+)", told)
    covered = re.findall(r"cov: (\d+)", told)
    line = {
        "target": name,
        "seconds": seconds,
        "inputs": int(runs.group(1)) if runs else 0,
        "edges": int(covered[-1]) if covered else 0,
        "broke": done.returncode != 0,
    }
    print(json.dumps(line), flush=True)
    if done.returncode != 0 or not runs:
        print(told[-4000:], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
