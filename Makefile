# `make demo` and `make test` set up all they need; any Python from 3.11 on will do:
#     make test PYTHON=python3.13
# VENV moves the environment elsewhere, so that several Pythons can live side by side.
PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
HOURS ?= 24
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
STAMP := $(VENV)/.installed
ZIG := .cache/zig
NATIVE := trayport_sdk/tables/decode/native/rows
LIBRARIES := $(NATIVE).native.so $(NATIVE).native.dylib $(NATIVE).native.dll
EXTRAS := cli sandbox pandas arrow redis metrics keyring otel energy uvloop duckdb s3 cluster notebook plot
SPREAD := -n $(WORKERS) --maxprocesses 4 --dist worksteal
PYTEST := $(BIN)/python -m pytest $(SPREAD)
UV_COMPILE := env -u PIP_FIND_LINKS $(BIN)/uv pip compile --python-version 3.11 --universal \
    --generate-hashes --no-header --no-annotate --no-config --quiet $(LOCK)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The many processes of the suite compile modules once, wherever the shell says otherwise.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test coverage check lint types drift codegen docs fuzz faults slow chaos load soak mutation recipes compatibility nightly wheels dist browse perf perf-large profile lock clean

help:
	@echo "make demo     run the SDK against the offline sandbox"
	@echo "make test     the test suite"
	@echo "make coverage the test suite again, and which branches of the package it takes"
	@echo "make check    lint, types, generated code, docs, repository rules"
	@echo "make codegen  generated/ again, after a change of openapi/"
	@echo "make docs     the documentation, in site/"
	@echo "make browse   every page in a browser, every operation tried out, and the notebooks"
	@echo "make fuzz     the properties of the suite with all of their examples; FUZZ=tests/query for some of them"
	@echo "make faults   every fault of the sandbox with every public method, at the first, middle and last request"
	@echo "make slow     the tests that take as long as the limits of the service do, or much data"
	@echo "make chaos    data sets whose programs are killed a thousand times; CHAOS=--kills=50 for fewer"
	@echo "make load     many calls at once, faults, limits and the lag of the event loop; LOAD=--only=lag for one"
	@echo "make soak     a client that goes on for HOURS=24, and whether anything that it holds grows"
	@echo "make mutation what the tests say when the code is changed; MUTATION=--sample=300 for fewer changes"
	@echo "make recipes  those of the docs for Airflow and Dagster, which it installs in .cache/recipes"
	@echo "make compatibility  the tests with the lowest and the latest dependencies, on all supported Pythons"
	@echo "make nightly  chaos, load, mutation, recipes, compatibility, 10 GB, and a soak of HOURS=4"
	@echo "make wheels   one for each platform, in dist, with a compiler that it installs in .cache/zig"
	@echo "make dist     these, the source distribution, the bill of materials and hashes: a release, in dist"
	@echo "make perf     the goals of speed and memory, and today's figures; PERF=--quick for a small share"
	@echo "make perf-large  10 GB through a local server into Parquet"
	@echo "make profile  where time and memory go, in build/profile"
	@echo "make lock     the locked dependencies again, after a change of pyproject.toml; LOCK=--upgrade for newer ones"
	@echo "make clean    away with everything that can be made again"

setup: $(STAMP)

$(LOCKED): requirements/dev.txt
	@command -v $(PYTHON) >/dev/null || \
	    { echo "make: there is no $(PYTHON); name a Python from 3.11 on: make $(MAKECMDGOALS) PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "make: $$($(PYTHON) --version 2>&1) is too old, 3.11 is needed: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "make: $(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || \
	    { echo "Making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing the locked dependencies into $(VENV)"
	@$(PIP) install --require-hashes --only-binary :all: --requirement requirements/dev.txt
	@touch $@

$(STAMP): $(LOCKED) pyproject.toml hatch_build.py $(NATIVE).c
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@[ -n "$$(ls $(LIBRARIES) 2>/dev/null)" ] || echo "Without the native reader, decoding in Python. To see" \
	    "why: $(BIN)/python -m pip install -v --no-deps --no-build-isolation -e ."
	@touch $@

demo: $(STAMP)
	@$(BIN)/trayport demo

test: $(STAMP)
	$(PYTEST)

# Python 3.11 traces no call where an error is raised into a coroutine, and then misses lines that run:
# `make coverage PYTHON=python3.13 VENV=.venv-3.13` is exact.
coverage: $(STAMP)
	@rm -rf .cache/coverage && mkdir -p .cache/coverage
	$(BIN)/coverage run -m pytest $(SPREAD) $(COVERAGE)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

check: lint types drift docs
	$(BIN)/python -m pytest -q tests/test_repository.py tests/test_imports.py tests/test_public_names.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/basedpyright --pythonpath $(BIN)/python

drift: $(STAMP)
	PATH="$(abspath $(BIN)):$$PATH" ./codegen.sh --check

codegen: $(STAMP)
	PATH="$(abspath $(BIN)):$$PATH" ./codegen.sh

docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

browse: $(STAMP)
	$(BIN)/python -m pytest -q -m site

fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(SPREAD) $(FUZZ)

faults: $(STAMP)
	$(BIN)/python -m tests.faults $(FAULTS)

slow: $(STAMP)
	$(PYTEST) -m slow

chaos: $(STAMP)
	$(BIN)/python -m tests.chaos $(CHAOS)

load: $(STAMP)
	$(BIN)/python -m tests.load $(LOAD)

soak: $(STAMP)
	$(BIN)/python -m tests.soak --hours $(HOURS) $(SOAK)

mutation: $(STAMP)
	$(BIN)/python -m tests.mutation $(MUTATION)

recipes: $(STAMP)
	$(BIN)/python -m tests.recipes

compatibility: $(STAMP)
	$(BIN)/python -m tests.compatibility $(COMPATIBILITY)

nightly: HOURS = 4
nightly: chaos load mutation recipes compatibility perf-large soak

$(ZIG)/.installed: requirements/wheels.txt | $(LOCKED)
	@echo "Installing a compiler for every platform into $(ZIG)"
	@rm -rf $(ZIG)
	@$(PIP) install --require-hashes --only-binary :all: --target $(ZIG) --requirement $<
	@touch $@

wheels: $(STAMP) $(ZIG)/.installed
	PYTHONPATH=$(abspath $(ZIG)) $(BIN)/python -m tests.wheels

dist: wheels
	$(BIN)/python -m tests.release dist

perf: $(STAMP)
	$(BIN)/python -m tests.perf $(PERF)

perf-large: $(STAMP)
	$(BIN)/python -m tests.perf --large

profile: $(STAMP)
	$(BIN)/python -m tests.perf.profile

lock: $(STAMP)
	$(UV_COMPILE) pyproject.toml $(EXTRAS:%=--extra %) --group dev --output-file requirements/dev.txt
	$(UV_COMPILE) --group wheels --output-file requirements/wheels.txt
	env -u PIP_FIND_LINKS $(BIN)/python -m tests.release sbom

clean:
	rm -rf $(LIBRARIES) .venv .venv-* .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .schemathesis build dist site demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
