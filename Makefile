VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(wildcard $(BIN)/python) python3)
PORT ?= 8501
export PIP_DISABLE_PIP_VERSION_CHECK := 1
NODE_TESTS = $(shell find pages -name '*.test.js')
NODE_REPORT ?= --test-reporter=dot
INSTALL = { test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV); } && $(BIN)/pip install --requirement

.PHONY: help app test test-slow test-fast check pictures python port
.NOTPARALLEL:

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

app: python port $(VENV)/.app ## open the dashboard; another port with PORT=8600
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

test: python $(VENV)/.test ## run the tests, in a real Chromium too
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory node_modules/.check; fi
	@if command -v node >/dev/null && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))'; then node --test $(NODE_REPORT) $(NODE_TESTS); \
	else echo "There is no Node.js 20 or newer here: the tests of the JavaScript are left out."; fi
	@browser=$$(tools/find_chromium $(BIN)/python) && export CHROMIUM="$$browser" && $(BIN)/pytest --numprocesses 2 --dist loadfile -m "not slow" $(COVERAGE)

test-slow: python $(VENV)/.test ## run what takes minutes: bad luck at random
	@$(BIN)/pytest -m slow

test-fast: python $(VENV)/.test ## run the tests of core that start no browser, cluster or other process
	@$(BIN)/pytest --numprocesses 2 --dist worksteal -m "not browser and not cluster and not process and not screen and not slow"

check: python $(VENV)/.test ## lint, check formatting, types, lengths and what imports what, then test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python tools/check_sizes.py
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory node_modules/.check && node_modules/.bin/biome check --error-on-warnings; \
	else echo "There is no npm here: JavaScript and CSS are not checked."; fi
	@$(MAKE) --no-print-directory test NODE_REPORT='--test-reporter=spec --experimental-test-coverage' COVERAGE='--cov=core --cov-report=term:skip-covered'

pictures: python $(VENV)/.test ## photograph the program for the README, while it trains a race
	@browser=$$(tools/find_chromium $(BIN)/python) && CHROMIUM="$$browser" PYTHONPATH=.:tests $(BIN)/python tools/make_pictures.py

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	found=$$(command -v $(PYTHON) >/dev/null && $(PYTHON) -V 2>&1 || echo missing); \
	echo "Python 3.11 or newer is needed, but $(PYTHON) is $$found; name another: make app PYTHON=python3.12" >&2; exit 1; }

port:
	@$(PYTHON) -c 'import socket; socket.create_server(("", $(PORT))).close()' 2>/dev/null || { \
	echo "Port $(PORT) is taken, or may not be used; choose another: make app PORT=8600" >&2; exit 1; }

# An empty file inside the environment marks it complete; it ages when the requirements change.
$(VENV)/.app: requirements.txt
	@echo "Installing what the dashboard needs into $(VENV); the first time takes some minutes."
	@$(INSTALL) requirements.txt
	@touch $@

$(VENV)/.test: requirements-dev.txt requirements.txt
	@echo "Installing what the tests need into $(VENV); the first time takes some minutes."
	@$(INSTALL) requirements-dev.txt
	@touch $@ $(VENV)/.app

# Biome, which checks JavaScript and CSS, and axe-core, which tests that everybody can use the screens; a lock file would
# add nothing, since both need no other package.
node_modules/.check: package.json
	@npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@
