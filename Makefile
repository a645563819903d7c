# Every target prepares what it needs: a fresh machine wants Python 3.11+ and make, nothing else.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SWEEP  ?= 1

.PHONY: help install demo test check bench dev snapshots clean

help:            ## this list
	@grep -E '^[a-z]+: .*##|^[a-z]+:  *##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

install: $(VENV)/.run   ## the console in .venv

$(VENV)/.run: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	$(BIN)/python -m compileall -q dpconsole
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	$(BIN)/pip install --quiet --disable-pip-version-check --group dev
	@touch $@

demo: $(VENV)/.run   ## the console on a lively night, engine running
	$(BIN)/dpconsole demo

test: $(VENV)/.dev   ## the whole suite, on every core
	DPCONSOLE_SWEEP=$(SWEEP) $(BIN)/python -m pytest -n auto

check: $(VENV)/.dev  ## format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DPCONSOLE_SWEEP=$(SWEEP) $(BIN)/python -m pytest -n auto

bench: $(VENV)/.dev  ## engine, lists and bytes on the line, beside their floors
	$(BIN)/python -m tests.bench

dev: $(VENV)/.dev    ## the demo under textual's console, styles reloaded as they change
	$(BIN)/textual run --dev -c $(BIN)/dpconsole demo

snapshots: $(VENV)/.dev  ## draw the snapshots anew, after looking at the report
	$(BIN)/python -m pytest tests/snapshots --snapshot-update

clean:           ## throw the environment and the caches away
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
