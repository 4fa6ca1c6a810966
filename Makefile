# Everything is installed into .venv on first use, and again when pyproject.toml changes.
# Needs make and Python >= 3.11; uses uv when it is there.

VENV := .venv
PY := $(VENV)/bin/python
UV := $(shell command -v uv 2>/dev/null)
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
ifdef UV
venv = $(UV) venv --quiet --allow-existing --python $(PYTHON) $(1)
install = $(UV) pip install --quiet --python $(1)/bin/python
else
venv = $(PYTHON) -m venv $(1)
install = $(1)/bin/python -m pip install --quiet --disable-pip-version-check
endif
# where the package index has a build of it for the CPU alone, that one spares gigabytes
TORCH ?= 2.13.0
# compiled modules are kept: to compile them again takes each worker longer than to find its tests
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo demo-loop test test-heavy torture check lint format bench clean

help:  ## Say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.core  ## Run the main job: two users, two conversations each, offline
	@$(PY) examples/demo/run.py

demo-loop: .venv-heavy/.filled  ## Run the whole loop with a real model, offline: tune, compare, promote, back (minutes)
	@.venv-heavy/bin/python examples/loop/run.py

test: $(VENV)/.dev  ## Pass the tests
	@$(PY) -m pytest -q -n 2 --dist worksteal

test-heavy: .venv-heavy/.filled  ## Test what stands on PyTorch, in .venv-heavy (MODEL=folder of a real model)
	@OMP_NUM_THREADS=1 HEAVY_MODEL='$(MODEL)' .venv-heavy/bin/python -m pytest -q -n 2 --dist worksteal -m heavy

torture: $(VENV)/.dev  ## Kill it between every two statements, break its database, crowd it (minutes)
	@TORTURE_KILLS=900 TORTURE_OPERATIONS=20000 $(PY) -m pytest -q -n 2 tests/torture

check: lint test  ## Lint, type-check and test

lint: $(VENV)/.dev  ## Check format, style, types and the direction of imports
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy

format: $(VENV)/.dev  ## Format, and mend what can be mended
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

bench: $(VENV)/.dev  ## Measure beside limits and peers (the peers get .venv-bench)
	@$(PY) -m benchmarks $(ARGS)

clean:  ## Remove what the targets above made
	rm -rf $(VENV) .venv-heavy .venv-bench .venv-bench-litellm .venv-bench-memory demo-data .ruff_cache .mypy_cache .hypothesis

$(PY):
	@test -n "$(PYTHON)" || { echo "persona needs Python 3.11 or newer: install it, or pass PYTHON=/path/to/python3"; exit 2; }
	@$(call venv,$(VENV))

$(VENV)/.core: pyproject.toml | $(PY)
	@echo "installing persona into $(VENV) …"
	@$(call install,$(VENV)) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(PY)
	@echo "installing persona and what its tests need into $(VENV) …"
	@$(call install,$(VENV)) -e '.[dev]'
	@touch $@ $(VENV)/.core

.venv-heavy/.filled: pyproject.toml
	@echo "installing persona, PyTorch and what stands on it into .venv-heavy …"
	@$(call venv,.venv-heavy)
	@$(call install,.venv-heavy) torch==$(TORCH)
	@$(call install,.venv-heavy) -e '.[dev,presidio,sentence-transformers,train]'
	@touch $@
