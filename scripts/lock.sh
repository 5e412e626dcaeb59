#!/bin/sh
# Renews the locks. Universal: one file for every platform and Python >= 3.11; hashes, and no index address.
set -eu
compile() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --custom-compile-command "make lock" "$@"; }
compile pyproject.toml --extra dev --extra all requirements/build.in --output-file requirements/dev.txt ${LOCK_ARGS:-}
compile requirements/uv.in --output-file requirements/uv.txt ${LOCK_ARGS:-}
# What compiles the transform, see docs/decisions/0009-compiled.md.
compile requirements/compile.in --constraint requirements/dev.txt --output-file requirements/compile.txt ${LOCK_ARGS:-}
# What the container image installs: no engine, no broker, no development tools.
compile pyproject.toml --extra collector --extra dashboard --extra oidc requirements/build.in --output-file requirements/server.txt ${LOCK_ARGS:-}
