# Đúng Hạn: every daily command. `make` alone explains itself.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON := .venv/bin/python
LOCKS := requirements.txt requirements-dev.txt
# mutmut and what it needs, laid over the environment without changing it (docs/mutants.md)
MUTMUT := VIRTUAL_ENV=.venv .venv/bin/uv run --quiet --no-project --active --with-requirements requirements-mutants.txt
JOBS ?= 2
# Tests of one file stay together, with services of their own: they wait for those more than they work.
APART := --numprocesses $(JOBS) --dist loadfile
CODE := schemas streams agents dashboards tests benchmarks

.PHONY: help
help: ## say what each target does
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## environment in .venv, Kafka's jars in .local; instant when nothing changed
	@bin/setup

.PHONY: format
format: setup ## rewrite the code in the house format
	@$(PYTHON) -m ruff check --fix-only --quiet $(CODE)
	@$(PYTHON) -m ruff format $(CODE)

.PHONY: check
check: setup ## format, lint, types, rooms, generated files: everything that needs no service
	$(PYTHON) -m ruff format --check $(CODE)
	$(PYTHON) -m ruff check $(CODE)
	$(PYTHON) -m mypy
	.venv/bin/lint-imports --no-cache --no-logo
	$(PYTHON) -m agents.cli.generate --check

.PHONY: test
test: setup ## every test, those on a real Kafka and a real ClickHouse included
	$(PYTHON) -m pytest $(APART)

.PHONY: unit
unit: setup ## the tests that need no service
	$(PYTHON) -m pytest $(APART) -m "not system"

.PHONY: laws
laws: setup ## 20,000 random dossiers judged twice, and the property tests with many more examples
	$(PYTHON) -m tests.laws
	$(PYTHON) -m pytest -m laws --hypothesis-profile=thorough --timeout=1800

.PHONY: system
system: setup ## the tests on real services alone
	$(PYTHON) -m pytest $(APART) -m system

.PHONY: faults
faults: setup ## three storms in a row on real services, ten kills each, every kind of fault (SEED=… plays one again)
	$(PYTHON) -m tests.system.faults --kills 10 $(if $(SEED),--seed $(SEED),--storms 3)

.PHONY: faults-long
faults-long: setup ## one storm with fifty kills (SEED=… plays one again)
	$(PYTHON) -m tests.system.faults --kills 50 $(if $(SEED),--seed $(SEED))

.PHONY: soak
soak: setup ## half an hour at 200 events a second and a kill a minute: nothing lost, memory flat (MINUTES=…)
	$(PYTHON) -m tests.system.faults.soak --minutes $(or $(MINUTES),30)

.PHONY: backlog
backlog: setup ## what judge and archive need for a million records that waited for them: memory, time
	$(PYTHON) -m tests.system.faults.backlog

.PHONY: million
million: setup ## ten days of the whole city, judged live, then again by --shadow: no difference, nothing sent
	$(PYTHON) -m tests.system.faults.million

.PHONY: cover
cover: setup ## branch coverage of the pure rooms, which must be whole
	$(PYTHON) -m pytest -m "not system" --cov=schemas --cov=streams --cov-fail-under=100

.PHONY: mutants
mutants: setup ## change the decisions one at a time; a test must notice each (docs/mutants.md)
	rm -rf mutants
	PYTHONDONTWRITEBYTECODE= $(MUTMUT) mutmut run --max-children $(JOBS)
	$(MUTMUT) python -m tests.mutants

.PHONY: demo
demo: setup ## the whole way once, on this machine, with known answers (KEEP=1 leaves it running)
	@.venv/bin/dunghan demo

.PHONY: up
up: setup ## start Kafka and ClickHouse on this machine
	@.venv/bin/dunghan up

.PHONY: down
down: ## stop what `up` started
	@.venv/bin/dunghan down

.PHONY: bench
bench: setup ## the measurements behind the numbers in docs
	$(PYTHON) -m benchmarks

.PHONY: image
image: setup ## the steps of the Dockerfile, without an engine, and whether the result works
	@bin/image

.PHONY: docs
docs: setup ## write the generated files again
	$(PYTHON) -m agents.cli.generate

.PHONY: lock
lock: setup ## resolve the dependencies again and write both locks
	@bin/lock

.PHONY: clean
clean: ## stop the services, then remove everything that was made here
	@if [ -x .venv/bin/dunghan ] && [ -f .local/services.json ]; then .venv/bin/dunghan down; fi
	rm -rf .venv .local .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov build *.egg-info .import_linter_cache
	rm -rf mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
