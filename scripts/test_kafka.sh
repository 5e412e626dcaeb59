#!/bin/sh
# Contract, end-to-end and crash suites on Apache Kafka 4. Arguments go to pytest.
set -eu
cd "$(dirname "$0")/.."
for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "make test-kafka needs $tool: install Java 17 or later, and Maven." >&2; exit 2; }
done
(cd tests/kafka && mvn -q -B dependency:copy-dependencies)
export SPANWISE_TEST_BROKER=kafka
exec .venv/bin/python -m pytest tests/contract tests/e2e tests/kafka "$@"
