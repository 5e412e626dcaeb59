#!/bin/sh
# What talks to a broker in the contract and end-to-end suites, the crash suite, and the fault suite (SPANWISE_TEST_SCHEDULES
# random schedules, 200), on Apache Kafka 4. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "make test-kafka needs $tool: install Java 17 or later, and Maven." >&2; exit 2; }
done
(cd tests/kafka && mvn -q -B dependency:copy-dependencies)
export SPANWISE_TEST_BROKER=kafka
# One worker more than cores: the schedules, which begin first (tests/conftest.py), mostly wait.
workers=$((${WORKERS:-2} + 1))
exec .venv/bin/python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder \
    tests/contract tests/e2e tests/kafka "$@"
