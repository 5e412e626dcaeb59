#!/bin/sh
# Builds the compiled wheel, installs it beside the locked requirements and runs the transform's tests and its benchmark on it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$work/venv/bin/python
uv=.venv/bin/uv

$uv venv --quiet --python .venv/bin/python "$work/build"
$uv pip install --quiet --python "$work/build/bin/python" --require-hashes -r requirements/compile.txt
HATCH_BUILD_HOOK_ENABLE_CUSTOM=1 "$work/build/bin/python" -m hatchling build -t wheel -d "$work/dist" >"$work/build.log" 2>&1 || {
    cat "$work/build.log" >&2
    exit 1
}
$uv venv --quiet --python .venv/bin/python "$work/venv"
$uv pip install --quiet --python "$python" --require-hashes -r requirements/dev.txt
$uv pip install --quiet --python "$python" --no-deps "$work"/dist/*.whl
ls "$work/dist"

# Packages of the checkout are not on the path from its root, so that only the wheel is found.
PYTHONDONTWRITEBYTECODE=1 "$python" - <<'PYTHON'
import importlib
from pathlib import Path

from hatch_build import MODULES

for name in MODULES:
    module = importlib.import_module("spanwise_collector." + name.replace("/", "."))
    assert module.__file__ and Path(module.__file__).suffix == ".so", f"{name} is not compiled: {module.__file__}"
    assert Path.cwd() not in Path(module.__file__).parents, f"{name} comes from the checkout"
print(f"{len(MODULES)} modules compiled")
PYTHON
"$python" -m pytest -q -p no:cacheprovider tests/unit/collector/transform tests/unit/collector/messages tests/golden "$@"
"$python" -m bench.normalise
