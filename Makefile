# What a newcomer runs. `make run` and `make test` need Python 3.11 or later, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test check bench bench-page shots docs check-platforms format clean
help:
	@echo "make run      start the server on 127.0.0.1:8000 (or \$$PORT)"
	@echo "make test     run every test, the browser's too"
	@echo "make check    lint, format and type checks"
	@echo "make bench    measure against nginx, Starlette and a plain loop"
	@echo "make bench-page  measure the page's Markdown beside two others"
	@echo "make shots    take pictures of the page"
	@echo "make check-platforms  ask the package index for wheels of all dependencies"
	@echo "make docs     write docs/configuration.md from the settings"

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
# The fault tests hold others' answers to 200 ms, so no browser runs beside them; they wait more than they work.
# What is marked `alone` measures time by the clock. Coverage is measured where the tests run the code themselves.
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not alone' --cov=webapp --cov-report= tests/unit tests/client; first=$$?; \
	  $(BIN)/python -m pytest -n 2 --dist loadfile -m 'not alone' --ignore=tests/unit --ignore=tests/client --ignore=tests/faults; \
	  second=$$?; \
	  $(BIN)/python -m pytest -n 3 --dist loadfile tests/faults; third=$$?; \
	  $(BIN)/python -m tests.support.coverage; \
	  $(BIN)/python -m pytest -m alone tests/browser tests/access && exit $$((first | second | third))
endif

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.support.typescript

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench $(ARGS)

bench-page: $(VENV)/.dev
	@$(BIN)/python -m tests.support.chromium
	$(BIN)/python -m tests.bench_page $(ARGS)

shots: $(VENV)/.dev
	@$(BIN)/python -m tests.support.chromium
	$(BIN)/python -m tests.shots $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python -m tests.support.configuration

check-platforms: $(VENV)/.dev
	$(BIN)/python -m tests.support.platforms

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .cache build dist
