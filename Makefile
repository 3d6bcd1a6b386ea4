# Every command a person or a machine needs. `make run` and `make test` do all from a fresh checkout.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
export OMP_WAIT_POLICY := passive
# Images of containers set it to be small: then each of our many processes compiles every library anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/watthour/api/static

# As many workers as small machines have cores.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup

.PHONY: run test ready coverage lint format web web-test bench backfill ingest train up docs lock clean

run:
	$(MAKE) --jobs=2 ready
	$(BIN)/watthour up

up: run

test:
	$(MAKE) --jobs=2 ready
	$(MAKE) --jobs=2 lint web-test
	$(PYTEST)

# Libraries of Python and of the web come at the same time.
ready: $(VENV)/.installed $(STATIC)/index.html

# Not part of `test`: tracing every line doubles the time of the suite.
coverage: $(VENV)/.installed $(STATIC)/index.html
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

web: web/node_modules/.installed
	cd web && npm run build

web-test: web/node_modules/.installed
	cd web && npm run lint && npm run typecheck && npm test

bench: $(VENV)/.installed
	for script in store api startup ny_day_ahead europe_day_ahead gefcom2014 planted_shift planted_ramadan cold_start unseen_homes prices fev_energy nilm; do $(BIN)/python benchmarks/$$script.py; done

backfill ingest train: $(VENV)/.installed
	$(BIN)/watthour $@ $(ARGS)

docs: $(VENV)/.installed
	$(BIN)/python -m pytest -q tests/docs

# The lock holds hashes and no addresses; run this after changing dependencies in pyproject.toml.
lock: $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11 \
		pyproject.toml --extra postgres --extra plot --extra mlops --extra iot --extra stats --extra scale --extra nilm --group dev -o requirements.lock

clean:
	rm -rf $(VENV) web/node_modules $(STATIC) .mypy_cache .ruff_cache .pytest_cache .coverage

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/uv
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps uv -e .
	touch $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --no-fund --no-audit
	touch $@

$(STATIC)/index.html: web/node_modules/.installed $(shell find web/src web/public web/index.html web/openapi.json web/package.json -path web/src/client -prune -o -type f -print)
	cd web && npm run build
	touch $@
