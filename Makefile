# Every target makes .venv by itself; Python 3.11+ with its venv module and make are all that is needed.
PY := .venv/bin/python
# Each worker runs an engine and a broker of its own: about 1 GB.
WORKERS ?= 2
FUZZ_SECONDS ?= 20
SCHEDULES ?= 5000
SOAK_WORKERS ?= 3
# Compiled modules are kept, or each process would compile all that it imports again; not in the tree, which stays clean.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/.venv/pycache

.PHONY: help demo up test check fuzz test-kafka soak test-browser test-node test-wheel test-compiled docs lock format clean

help:            ## Show this list
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t18

.venv/.ready: pyproject.toml requirements/dev.txt scripts/venv.sh
	@sh scripts/venv.sh

demo: .venv/.ready  ## Start everything, run the example app, back-fill four weeks: a dashboard with traces
	@$(PY) -m examples.support_bot.demo $(DEMO_ARGS)

up: .venv/.ready  ## Start broker, collector and dashboard on this machine
	@.venv/bin/spanwise up $(UP_ARGS)

test: .venv/.ready  ## All tests that need no Docker, no Java, no browser and no root; WORKERS=1 for one process
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

check: .venv/.ready  ## Lint, format, types and import contracts
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/mypy tests bench examples scripts hatch_build.py
	@.venv/bin/lint-imports

test-kafka: .venv/.ready  ## What talks to a broker, and the crash suite, on a real Apache Kafka 4 (needs Java 17 and Maven)
	@WORKERS=$(WORKERS) sh scripts/test_kafka.sh $(ARGS)

fuzz: .venv/.ready  ## Coverage-guided fuzzing of all decoders; FUZZ_SECONDS=20 each (Linux, Python below 3.14)
	@$(PY) -m tests.fuzz --seconds $(FUZZ_SECONDS) $(ARGS)

soak: .venv/.ready  ## 5,000 random schedules of faults on Apache Kafka, under two hours on two cores with SOAK_WORKERS=5; SCHEDULES=, SOAK_WORKERS=, SEED= (Java 17, Maven)
	@$(PY) -m scripts.soak --schedules $(SCHEDULES) --workers $(SOAK_WORKERS) $(if $(SEED),--seed $(SEED)) $(ARGS)

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
	@$(PY) -m scripts.write_api
	@$(PY) -m spanwise_schemas.conventions_doc docs/conventions.md
	@$(PY) -m spanwise_collector.normalise.problems_doc docs/rejects.md
	@$(PY) -m spanwise_collector.failures.classes_doc docs/failures.md
	@$(PY) -m spanwise_collector.alerts.signals_doc docs/alerts.md
	@$(PY) -m spanwise_evaluators.evaluators_doc docs/evaluators.md
	@$(PY) -m spanwise_collector.sql_evals.reference_doc docs/sql_evaluators.md
	@$(PY) -m tests.golden.clients.table --markdown

format: .venv/.ready  ## Format the code
	@.venv/bin/ruff check --fix-only -q .
	@.venv/bin/ruff format .

lock: .venv/.ready  ## Renew requirements/*.txt from pyproject.toml
	@sh scripts/lock.sh

clean:           ## Remove .venv and the demo's data
	rm -rf .venv .demo
