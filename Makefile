# `make` prints this list. Python 3.11 or newer and make are all you need.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Bytecode is kept: without it, each of some eighty processes of `make test` would compile the whole project anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install demo up test check lint types layers bench bench-demonstration bench-sector chaos scenarios lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## a virtual environment with exactly the locked versions
$(INSTALLED): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## the whole story on this machine: orders in, licences out, proof at the end
	@$(BIN)/provisioning demo

up: $(INSTALLED) ## the same world, left running to play with (Ctrl-C stops it)
	@$(BIN)/provisioning up

test: $(INSTALLED) check ## everything CI runs
	@$(BIN)/python -m pytest -n 5 --dist loadfile --no-loadscope-reorder -q  # five on two cores: journeys mostly wait

check: lint types layers ## the checks that need no engine

lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED)
	@$(BIN)/mypy

layers: $(INSTALLED)
	@$(BIN)/lint-imports

bench: $(INSTALLED) ## the budgets, measured: one machine-readable row each
	@$(BIN)/python -m tests.benchmarks

bench-demonstration: $(INSTALLED) ## a campaign on a bad day: what is promised, measured
	@$(BIN)/python -m tests.benchmarks.demonstration

TENANTS ?= 3000
PEOPLE ?= 20
FOLDER ?= .provisioning/sector
bench-sector: $(INSTALLED) ## a whole sector in a night; broken off, it goes on (TENANTS=, PEOPLE= of each, FOLDER=)
	@$(BIN)/python -m tests.benchmarks.sector_night --tenants $(TENANTS) --people $(PEOPLE) --folder $(FOLDER)

chaos: $(INSTALLED) ## 200 killed runs of orders, 200 of migrations, a simulated crash at every boundary: each ends as if nothing had happened
	@$(BIN)/python -m pytest -q -m slow tests/journeys tests/simulation tests/integration/web

scenarios: $(INSTALLED) ## the journeys, one per scenario of the trade
	@$(BIN)/python -m pytest -v -m "slow or not slow" --ignore tests/journeys/test_kills.py --ignore tests/journeys/test_migration_kills.py tests/journeys

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --generate-hashes --python-version 3.11 \
		--no-header --quiet -o requirements.lock

clean: ## remove the virtual environment and local worlds
	rm -rf $(VENV) .provisioning
