SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
KLINES ?=
ARGS ?=
LOCK := --quiet --no-header --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
        --universal --python-version 3.11 --python $(BIN)/python

.PHONY: help install demo test check lint explore chaos bench lock format clean pictures prerequisites

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## the virtual environment, exactly as locked

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	$(BIN)/python -m streams.report.charts
	touch $@

demo: $(STAMP)  ## the whole pipeline on this machine, then a report (KLINES=file for your own candles)
	$(BIN)/strikeline demo $(if $(KLINES),--klines "$(KLINES)") $(ARGS)

test: prerequisites check  ## everything: check, then the tests on a real broker and the slow ones
	$(BIN)/pytest -n 2 --dist loadfile -m "e2e or slow" $(ARGS)

check: lint  ## format, lint, types, import rules and unit tests
	$(BIN)/pytest -n 2 -m "not e2e and not slow" $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

explore: $(STAMP)  ## property tests with examples that were never tried (ARGS=--hypothesis-seed=N: the same again)
	HYPOTHESIS_PROFILE=exploring $(BIN)/pytest -n 2 -m "hypothesis and not e2e" $(ARGS)

chaos: prerequisites $(STAMP)  ## kill processes and take databases away under load, two hours; ARGS=--help for its parts
	$(BIN)/python -m tests.chaos $(ARGS)

bench: $(STAMP)  ## every performance claim, measured here
	for bench in $$(ls bench/[a-z]*.py | grep -v _child); do $(BIN)/python "$$bench" $(ARGS); done

pictures: $(STAMP)  ## the pictures of the report in docs/, made anew (needs Chromium)
	$(BIN)/python -m tests.streams.report.pictures --out docs

prerequisites:
	@for tool in java mvn; do command -v "$$tool" > /dev/null || { \
	  echo "$$tool is missing: the tests start Apache Kafka itself (a Java 17 runtime, and Maven to fetch it once)" >&2; exit 1; }; done

lock: $(STAMP)  ## resolve anew and write both lock files
	$(BIN)/uv pip compile $(LOCK) --all-extras --upgrade pyproject.toml -o requirements-dev.lock
	$(BIN)/uv pip compile $(LOCK) --extra live --extra build -c requirements-dev.lock pyproject.toml -o requirements.lock

format: $(STAMP)  ## rewrite the code as `check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## remove what can be made anew, the virtual environment too
	rm -rf .venv build dist out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
