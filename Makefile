# Two commands: `make run` opens a city, `make test` sets everything up and passes all tests.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CITY   ?=
DATA   ?=
PORT   ?= 8000
STATIC := src/jingwei/web/static/index.html
# In memory a test does not wait for the disk; where there is little of it, the disk will do.
MEMORY := $(shell test -w /dev/shm && df -Pk /dev/shm | awk 'NR == 2 && $$4 > 6000000 { print "/dev/shm" }')
# What the tests start, starts from bytecode.
unexport PYTHONDONTWRITEBYTECODE
export JINGWEI_HOME ?= $(CURDIR)/var

NPM    ?= npm

.PHONY: run test check pages screenshots soak bench likeness lock system clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.run: requirements/run.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

frontend/node_modules/.installed: frontend/package-lock.json frontend/package.json frontend/.npmrc
	cd frontend && $(NPM) ci --no-audit --no-fund
	touch $@

$(STATIC): frontend/node_modules/.installed $(shell find frontend/src frontend/public -type f) $(wildcard frontend/*.ts frontend/*.json frontend/*.html)
	cd frontend && $(NPM) run --silent build
	touch $@

pages: $(STATIC) ## build the pages into the package

run: $(VENV)/.run $(STATIC) ## open a city without sign-in at http://localhost:8000 (CITY=path of a pack, DATA=its files, PORT=8000)
	$(BIN)/jingwei up $(CITY) --open $(if $(DATA),--data "$(DATA)") --port $(PORT)

test: $(VENV)/.dev $(STATIC) system check ## set everything up, then check and test all of it
	$(if $(MEMORY),TMPDIR=$${TMPDIR:-$(MEMORY)}) $(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev ## formatting, lint, types, floors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

system: ## Debian's PostgreSQL and Chromium for the tests that use them
	@sh tools/system.sh

soak: $(VENV)/.dev ## long rounds: kill -9 a hundred times, a hundred million round trips
	$(BIN)/python -m pytest -m soak -o timeout=0 -o faulthandler_timeout=0 -o addopts="--strict-markers --import-mode=importlib -v"

bench: $(VENV)/.dev ## measure what docs/benchmarks.md claims
	@sh tools/system.sh bench
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bench.txt
	for b in bench/*.py; do $(BIN)/python $$b || exit 1; done

likeness: $(VENV)/.run ## renew the table of docs/demo-city.md against the public data sets in DATA
	$(BIN)/python -m jingwei.city.demo.similarity "$(DATA)" docs/demo-city.md

screenshots: $(VENV)/.dev $(STATIC) ## take the pictures of docs/img from the open city (JINGWEI_HOME)
	$(BIN)/python tools/screenshots.py "$(JINGWEI_HOME)" docs/img

lock: $(VENV)/.dev ## renew requirements/*.txt from pyproject.toml
	sh tools/lock.sh $(BIN)/uv

clean: ## remove what was set up (never a city's data)
	rm -rf $(VENV) frontend/node_modules src/jingwei/web/static .mypy_cache .ruff_cache .pytest_cache .hypothesis dist build
