# What a newcomer runs. `make run` and `make test` need Python 3.11 or later, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder
USUAL := -m 'not alone and not managed'
CODE := tests/unit tests/client
PAGE := tests/browser tests/render tests/mathml tests/highlight tests/markdown
TIMED := tests/faults tests/survival

.PHONY: help run test check bench bench-page bench-scale bench-search soak storm faults clients shots docs models check-platforms format clean
help:
	@echo "make run      start the server on 127.0.0.1:8000 (or \$$PORT)"
	@echo "make test     run every test, the browser's too"
	@echo "make check    lint, format and type checks"
	@echo "make bench    measure against nginx, Starlette and a plain loop"
	@echo "make bench-page  measure the page's Markdown beside two others"
	@echo "make bench-scale  measure journals, workers and readers that come back"
	@echo "make bench-search  measure the search of documents: what it finds, how fast, and what it holds up"
	@echo "make soak     lead 10,000 answers through a server, which must hold no more afterwards"
	@echo "make storm    kill, freeze and restart workers for a minute, and check all answers"
	@echo "make faults   all faults in each journal, with one worker and two, and kills at named points: about an hour"
	@echo "make clients  point clients of others at a server"
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
# What is marked `alone` measures time by the clock, and `make faults` runs what is marked `managed`. Coverage is measured where the tests run the code themselves.
# A few tests that failed are run again with nothing beside them, which tells a fault from a machine that stood still.
	@failed=0; run() { $(PYTEST) "$$@" || { code=$$?; [ $$code = 1 ] || exit $$code; failed=1; }; }; \
	  run -n 2 $(USUAL) --cache-clear --cov=webapp --cov-report= $(CODE); \
	  run -n 2 $(USUAL) $(PAGE); \
	  run -n 4 $(USUAL) $(addprefix --ignore=,$(CODE) $(PAGE) $(TIMED)); \
	  run -n 3 $(USUAL) $(TIMED); \
	  $(BIN)/python -m tests.support.coverage; \
	  run -m alone tests/browser tests/access; \
	  [ $$failed = 0 ] || $(BIN)/python -m tests.support.again
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

bench-scale: $(VENV)/.dev
	$(BIN)/python -m tests.bench_scale $(ARGS)

bench-search: $(VENV)/.dev
	$(BIN)/python -m tests.bench_search $(ARGS)

soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak $(ARGS)

storm: $(VENV)/.dev
	$(BIN)/python -m tests.survival.storm $(ARGS)

faults: $(VENV)/.dev
	$(BIN)/python -m tests.support.fault_suite $(ARGS)

clients: $(VENV)/.dev
	$(BIN)/python -m tests.clients

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
