# Everything is kept inside this folder: the environment in .venv, all caches in .cache.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env report test test-slow test-portable bench docs lab lint lock clean

comma := ,
BIN := .venv/bin
STAMP := .venv/.complete
CACHE := $(CURDIR)/.cache

# Every kernel and worker imports the same hundreds of files: without their bytecode each would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

export UV_CACHE_DIR := $(CACHE)/uv
export UV_PYTHON_INSTALL_DIR := $(CACHE)/uv-python
export PYTENSOR_FLAGS := base_compiledir=$(CACHE)/pytensor$(if $(PYTENSOR_FLAGS),$(comma)$(PYTENSOR_FLAGS))
export NUMBA_CACHE_DIR := $(CACHE)/numba
export MPLCONFIGDIR := $(CACHE)/matplotlib
export IPYTHONDIR := $(CACHE)/ipython

# The stamp holds the folder it was made in: scripts in .venv carry absolute paths, so a moved or copied
# project, or one whose Python is gone, must be built anew.
ifneq ($(shell [ -x $(BIN)/python ] && cat $(STAMP) 2>/dev/null),$(CURDIR))
$(shell rm -f $(STAMP))
endif

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile
	@echo 'Extra arguments go in ARGS, as in: make report ARGS="market_size -p horizon=2032"'

env: $(STAMP)  ## build .venv from requirements.lock (nothing to do when it is up to date)

report: env  ## run the notebooks and write reports/ (options in ARGS)
	@$(BIN)/telemed-forecast report $(ARGS)

# The notebooks run in the quick profile (conftest.py); their check cells are compared strictly, the others only run.
NOTEBOOKS := --nbval-lax --nbval-current-env --nbval-cell-timeout 900 --nbval-kernel-startup-timeout 300

# A process a core; the tests of a file, and the cells of a notebook, stay together and in order.
PARALLEL := --numprocesses auto --dist loadfile

# Tests compare what is drawn within its Monte Carlo error, so that they may take compiled code from the disk: a model is
# compiled once for all of them. Their fits stay apart from those of reports, whose draws are the same to the last bit.
test test-slow test-portable: export TELEMED_CACHE := $(CACHE)/tests
test test-slow test-portable: export PYTENSOR_FLAGS := $(PYTENSOR_FLAGS),numba__cache=True

# The instruction sets that numpy picks from at run time, among those of this processor.
NUMPY_PICKS := "from numpy._core._multiarray_umath import __cpu_dispatch__ as d, __cpu_features__ as f; \
    print(*(name for name in d if f[name]))"

# The notebooks that run so; PORTABLE="notebooks/executive_summary.ipynb" holds one fit of every model.
PORTABLE := notebooks

# As on a processor of another kind: what chooses instructions is told to use none but the oldest.
test-portable: export TELEMED_CACHE := $(CACHE)/portable
test-portable: export PYTENSOR_FLAGS := base_compiledir=$(CACHE)/portable/pytensor,numba__cache=True
test-portable: export NUMBA_CACHE_DIR := $(CACHE)/portable/numba
test-portable: export NUMBA_CPU_NAME := generic
test-portable: export NUMBA_CPU_FEATURES :=
test-portable: export NPY_DISABLE_CPU_FEATURES = $(shell $(BIN)/python -c $(NUMPY_PICKS))
test-portable: export OPENBLAS_CORETYPE := Nehalem

test: env  ## run the quick tests, and every notebook in the quick profile
	$(BIN)/python -m pytest -m "not slow" $(PARALLEL) tests $(NOTEBOOKS) notebooks $(ARGS)

test-slow: env  ## run the tests that sample, run whole notebooks or drive a browser for long
	$(BIN)/python -m pytest -m slow --numprocesses auto $(ARGS)

test-portable: env  ## run what depends on draws as on another processor (ARGS="--sampler-seed 1000": with other draws)
	$(BIN)/python -m pytest -m "draws and not slow" $(PARALLEL) tests $(ARGS)
	$(BIN)/python -m pytest $(PARALLEL) $(NOTEBOOKS) $(PORTABLE) $(ARGS)

bench: env  ## score the library beside its peers (ARGS="growth --tasks TASKS.csv --curves CURVES.csv")
	@$(BIN)/python -m benchmarks $(ARGS)

docs: export NO_MKDOCS_2_WARNING := 1
docs: env  ## build the site of docs/ in .cache/site (ARGS=--site-dir=FOLDER for another place)
	$(BIN)/python -m mkdocs build --strict --quiet $(ARGS)
	@echo .cache/site/index.html

lab: env  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks $(ARGS)

lint: env  ## check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lock: $(BIN)/uv  ## make requirements.lock anew from pyproject.toml (LOCK_ARGS=--upgrade for newer releases)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --extra dev --extra cluster \
	    --no-emit-index-url --custom-compile-command "make lock" $(LOCK_ARGS) \
	    --output-file requirements.lock pyproject.toml

clean:  ## remove .venv, caches and build leftovers (reports are kept)
	rm -rf .venv .cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

# The stamp is there only while .venv is whole. Without it (first build, failed or interrupted install)
# .venv is built from nothing; with it, only the difference to the lock is installed.
# The index that pip is configured for (often a mirror) is handed to uv, which does not read pip's settings.
$(STAMP): pyproject.toml requirements.lock
	@set -e; \
	[ -f $@ ] || $(MAKE) --no-print-directory --always-make $(BIN)/uv; \
	rm -f $@; \
	index=$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config list | sed -n "s/^global.index-url='\(.*\)'/\1/p")}}; \
	if [ -n "$$index" ]; then export UV_DEFAULT_INDEX="$$index"; fi; \
	echo "Installing the packages of requirements.lock into .venv"; \
	$(BIN)/uv pip sync --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock || { \
	    echo "uv could not install them; trying pip" >&2; \
	    $(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock || { \
	        echo "The packages could not be installed; the reason stands above." >&2; \
	        exit 1; }; }; \
	$(BIN)/uv pip install --quiet --offline --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	printf '%s\n' "$(CURDIR)" > $@

# uv itself comes from the lock too, so that nothing is ever installed without its hash.
$(BIN)/uv:
	@set -e; \
	python=$$(scripts/find-python $(TELEMED_PYTHON)); \
	echo "Making .venv with $$python"; \
	rm -rf .venv; \
	"$$python" -m venv .venv; \
	mkdir -p .cache; \
	awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock > .cache/uv.lock; \
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r .cache/uv.lock
