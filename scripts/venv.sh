#!/bin/sh
# Makes .venv with the locked development requirements. Called by make; safe to call again after an interruption.
set -eu
for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        python=$candidate
        break
    fi
done
if [ -z "${python:-}" ]; then
    echo "Spanwise needs Python 3.11 or later with its venv module (Debian: apt install python3-venv)." >&2
    echo "Name one with: make PYTHON=/path/to/python" >&2
    exit 1
fi

start=$(date +%s)
# An environment whose Python has gone (an upgrade, a moved folder) is made anew.
.venv/bin/python -c '' 2>/dev/null || { rm -rf .venv; "$python" -m venv .venv; }
echo "Setting up .venv with $(.venv/bin/python --version): about 500 MB of downloads the first time, 1.4 GB on disk."
failed() {
    echo "Setting up .venv failed; the reason is above. Call make again to go on from here." >&2
    exit 1
}
echo "  [1/3] the installer"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt || failed
echo "  [2/3] $(grep -c '^[a-z]' requirements/dev.txt) locked packages"
# --quiet hides the list of packages; on a terminal the downloads are shown.
quiet=--quiet
[ ! -t 2 ] || quiet=
# shellcheck disable=SC2086 # empty means no argument
.venv/bin/uv pip install $quiet --python .venv/bin/python --require-hashes -r requirements/dev.txt || failed
echo "  [3/3] Spanwise itself"
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . || failed
touch .venv/.ready
echo "Ready after $(($(date +%s) - start)) s."
