#!/bin/sh
# Builds the wheel, installs it without extras into a clean environment and tries what must work there.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=$work/venv/bin/python
limit=25

.venv/bin/python -m hatchling build -t wheel -d "$work/dist" >/dev/null
.venv/bin/uv venv --quiet --python .venv/bin/python "$work/venv"
.venv/bin/uv pip install --quiet --python "$python" "$work"/dist/*.whl
count=$(.venv/bin/uv pip list --quiet --python "$python" --format json | "$python" -c 'import json, sys; print(len(json.load(sys.stdin)))')
echo "installed: $(ls "$work/dist"), $count packages (limit $limit)"
[ "$count" -le "$limit" ] || { echo "The SDK alone may bring at most $limit packages." >&2; exit 1; }

cd "$work" # away from the checkout, so that only the wheel is found
"$python" -c 'import spanwise; print("import spanwise: ok")'
"$work/venv/bin/spanwise" --help >/dev/null
"$work/venv/bin/spanwise" version

# The server's commands say which extra brings what they need.
for command in up collector dashboard; do
    code=0
    said=$("$work/venv/bin/spanwise" $command 2>&1) || code=$?
    case "$code $said" in
        3*"pip install 'spanwise["*) echo "spanwise $command: exit code 3, $(echo "$said" | tail -1)" ;;
        *) echo "spanwise $command should have said what to install; it ended with $code: $said" >&2; exit 1 ;;
    esac
done
