# What a newcomer runs. `make run` and `make test` need Python 3.11 or later, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --dist loadfile -m 'not alone and not managed'
CODE := tests/unit tests/client
PAGE := tests/browser tests/render tests/mathml tests/highlight tests/markdown
TIMED := tests/faults tests/survival

.PHONY: help run test check bench bench-page storm shots docs models check-platforms format clean
help:
	@echo "make run      start the server on 127.0.0.1:8000 (or \$$PORT)"
	@echo "make test     run every test, the browser's too"
	@echo "make check    lint, format and type checks"
	@echo "make bench    measure against nginx, Starlette and a plain loop"
	@echo "make bench-page  measure the page's Markdown beside two others"
	@echo "make storm    kill, freeze and restart workers for a minute, and check all answers"
	@echo "make shots    take pictures of the page"
	@echo "make check-platforms  ask the package index for wheels of all dependencies"
	@echo "make docs     write docs/configuration.md from the settings"
	@echo "make models   write webapp/catalog/models.toml from the newest prices"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Freshet needs Python 3.11 or later; point PYTHON at one: make PYTHON=python3.12 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

run: $(VENV)/.run
	@$(BIN)/freshet serve

test: $(VENV)/.dev
	@$(BIN)/python -m tests.support.chromium
	@$(BIN)/python -m tests.support.firefox
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
# No browser runs beside the tests that hold answers to times. Those and the tests of servers wait more than they work.
# What is marked `alone` measures time by the clock. Coverage is measured where the tests run the code themselves.
	@failed=0; \
	  $(PYTEST) -n 2 --cov=webapp --cov-report= $(CODE) || failed=1; \
	  $(PYTEST) -n 2 $(PAGE) || failed=1; \
	  $(PYTEST) -n 4 $(addprefix --ignore=,$(CODE) $(PAGE) $(TIMED)) || failed=1; \
	  $(PYTEST) -n 3 $(TIMED) || failed=1; \
	  $(BIN)/python -m tests.support.coverage; \
	  $(BIN)/python -m pytest -m alone tests/browser tests/access || failed=1; \
	  exit $$failed
endif

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.support.typescript
	$(BIN)/python -m tests.support.eslint

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

bench-page: $(VENV)/.dev
	@$(BIN)/python -m tests.support.chromium
	$(BIN)/python -m tests.bench_page $(ARGS)

storm: $(VENV)/.dev
	$(BIN)/python -m tests.survival.storm $(ARGS)

shots: $(VENV)/.dev
	@$(BIN)/python -m tests.support.chromium
	$(BIN)/python -m tests.shots $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python -m tests.support.configuration

models: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade genai-prices
	$(BIN)/python -m tests.support.model_table

check-platforms: $(VENV)/.dev
	$(BIN)/python -m tests.support.platforms

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .cache build dist
