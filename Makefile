# Every target makes .venv by itself; Python 3.11+ with its venv module and make are all that is needed.
PY := .venv/bin/python
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: help demo up test check test-kafka test-browser test-node test-wheel test-compiled docs lock format clean

help:            ## Show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t18

.venv/.ready: pyproject.toml requirements/dev.txt scripts/venv.sh
	@sh scripts/venv.sh

demo: .venv/.ready  ## Start everything, run the example app, back-fill two weeks: a dashboard with traces
	@$(PY) -m examples.support_bot.demo $(DEMO_ARGS)

up: .venv/.ready  ## Start broker, collector and dashboard on this machine
	@.venv/bin/spanwise up $(UP_ARGS)

test: .venv/.ready  ## All tests that need no Docker, no Java, no browser and no root
	@$(PY) -m pytest $(ARGS)

check: .venv/.ready  ## Lint, format, types and import contracts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/mypy tests bench examples scripts hatch_build.py
	@.venv/bin/lint-imports

test-kafka: .venv/.ready  ## Contract, end-to-end and crash suites on a real Apache Kafka 4 (needs Java 17 and Maven)
	@sh scripts/test_kafka.sh $(ARGS)

test-browser: .venv/.ready  ## The dashboard in headless Chromium (needs Debian's chromium or CHROMIUM=/path)
	@$(PY) -m pytest tests/browser $(ARGS)

test-node: .venv/.ready  ## The Node example, to stored traces (needs Node 20 or later with npm)
	@npm ci --prefix examples/node_otlp --no-audit --no-fund --silent
	@$(PY) -m pytest tests/node $(ARGS)

test-wheel: .venv/.ready  ## Build the wheel, install it without extras, try what must work there
	@sh scripts/test_wheel.sh

test-compiled: .venv/.ready  ## Build the wheel with the transform compiled, test and time that (needs gcc and Python's headers)
	@sh scripts/test_compiled.sh $(ARGS)

docs: .venv/.ready  ## Write again the pages of docs/ that are made from the code
	@$(PY) -m scripts.write_configuration
	@$(PY) -m spanwise_schemas.conventions_doc docs/conventions.md
	@$(PY) -m spanwise_collector.normalise.problems_doc docs/rejects.md
	@$(PY) -m tests.golden.clients.table --markdown

format: .venv/.ready  ## Format the code
	@.venv/bin/ruff check --fix-only -q .
	@.venv/bin/ruff format .

lock: .venv/.ready  ## Renew requirements/*.txt from pyproject.toml
	@sh scripts/lock.sh

clean:           ## Remove .venv and the demo's data
	rm -rf .venv .demo
