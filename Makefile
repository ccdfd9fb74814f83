# Every target makes the venv it needs, and nothing else. A stamp in it remembers which extras are installed;
# it is out of date as soon as pyproject.toml is newer.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help train test bench book check clean
.NOTPARALLEL:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

train: .venv/cli.stamp ## train on MNIST and test the result; options: make train ARGS="--epochs 2"
	$(BIN)/chainrule train mnist $(ARGS)

# One BLAS thread for each worker: with more they would fight for the same cores.
test: .venv/dev.stamp ## run the tests and every example in a docstring; the slow ones: make test ARGS="-m slow"
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 $(ARGS)

bench: .venv/peers.stamp ## time, memory and size beside the peers (25 minutes); options: make bench ARGS=--quick
	mkdir -p build
	$(BIN)/python benchmarks/bench.py --json build/bench.json --plot build/bench.png $(ARGS)

book: .venv/book.stamp ## run every cell of the book and build it with the reference: build/book/index.html
	OPENBLAS_NUM_THREADS=1 $(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -c book -d build/doctrees . build/book $(ARGS)
	@echo "Open build/book/index.html"

check: .venv/dev.stamp ## lint, format, types, import directions: what a commit must pass
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## remove the venv and everything that was built or cached
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "chainrule needs Python 3.11 or newer; $(PYTHON) is: $$($(PYTHON) --version 2>&1)"; \
	  echo "Name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --clear .venv
	touch $@

# A peer that cannot be had here is left out, and the benchmark says so.
.venv/peers.stamp: pyproject.toml .venv/made.stamp
	$(PIP) --editable '.[peers]' || $(BIN)/python benchmarks/install_peers.py
	touch $@

.venv/book.stamp .venv/cli.stamp .venv/dev.stamp: .venv/%.stamp: pyproject.toml .venv/made.stamp
	@echo "Installing chainrule and its extra $*: a minute or two the first time"
	$(PIP) --editable '.[$*]'
	touch $@
