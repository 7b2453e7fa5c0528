# One command for everything. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
T ?= tests
B ?= lateness
E ?= embedded
DEMO_DIR ?= var/demo
DEMO_PORT ?= 8090
DEMO_PROVIDER_PORT ?= 8091

.DEFAULT_GOAL := help
.PHONY: help install run demo check test test-slow soak test-unit fmt migrate bench screenshots looks lock browser services clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Belfry needs Python 3.11 or newer. Say which to use, for example: make run PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are the lock files themselves: a changed lock installs again, an unchanged one costs nothing.
$(VENV)/installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/installed ## Make .venv with the belfry command in it

run: $(VENV)/installed ## Run everything on this machine and print the address
	@exec $(BIN)/belfry up

demo: $(VENV)/installed ## Run it with demo data from a fake provider, in a directory of its own
	@exec $(BIN)/python -m demo --folder $(DEMO_DIR) --port $(DEMO_PORT) --provider-port $(DEMO_PROVIDER_PORT)

check: $(VENV)/installed-dev ## Format, lint, types and import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# In the order of their names: by their number, the few that take long would come last, on one process alone.
ABREAST := -n 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/installed-dev browser services ## All tests but the slow ones, set up from nothing; T=path for some
	$(BIN)/python -m pytest $(T) $(ABREAST) -m "not journey and not slow"
	$(BIN)/python -m pytest $(T:tests=tests/journeys) $(ABREAST) -m "journey and not slow"

test-slow: $(VENV)/installed-dev browser services ## The tests of faults that take minutes
	$(BIN)/python -m pytest $(T) -m slow

soak: $(VENV)/installed-dev services ## Every fault at full length, for hours, with a report in docs/reliability.md
	FAULTS=long FAULTS_REPORT=docs/reliability.md $(BIN)/python -m pytest tests/faults/processes

test-unit: $(VENV)/installed-dev ## The pure tests, in seconds
	$(BIN)/python -m pytest tests/unit -n 2 --dist loadfile

# The journey needs a browser: the machine's own, or Debian's where we may install it.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  [ "$$(id -u)" = 0 ] || { echo "The tests need Chromium. Install it, for example: sudo apt-get install chromium"; exit 1; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; }

# PostgreSQL and Redis: the machine's own programs, or Debian's where we may install them. The tests start their own
# servers of these and leave those alone that run already.
services: $(VENV)/installed-dev
	@$(BIN)/python -m tests.services 2>/dev/null || { \
	  [ "$$(id -u)" = 0 ] || exec $(BIN)/python -m tests.services; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql redis-server >/dev/null; }

fmt: $(VENV)/installed-dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

migrate: $(VENV)/installed ## Bring the embedded database up to date
	$(BIN)/belfry db upgrade

bench: $(VENV)/installed-dev ## Measure: B=lateness, E=embedded or postgres+redis
	@$(BIN)/python -m bench.$(B) --engine $(E)

screenshots: $(VENV)/installed-dev browser ## Take the pictures of README and docs anew, in a minute or two
	$(BIN)/python -m bench.screenshots --docs docs/images

looks: $(VENV)/installed-dev browser ## Take every page to look at, in both themes and widths, and without colours
	$(BIN)/python -m bench.screenshots var/looks

lock: $(VENV)/installed-dev ## Write the lock files anew
	$(BIN)/pip-compile $(LOCK) --extra install -o requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --extra install --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

LOCK := -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host \
  --no-emit-find-links --no-header --no-annotate

clean: ## Remove the virtual environment; data under var/ stays
	rm -rf $(VENV)
