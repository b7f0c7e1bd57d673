# make demo      run the main job into a new folder below runs/   (ARGS="--steps 100000" passes more)
# make test      run the tests                                    (ARGS="tests/corpora -k locale")
# make docs      build docs/ into a site: build/site
# make lint      check style and types
# make install   create .venv and install into it; the others do so by themselves when needed
# make clean     remove .venv, the site and caches

PYTHON ?= python3
JOBS ?= 2
OUT ?= runs/demo-$(shell date +%Y%m%d-%H%M%S)
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test docs lint clean

install: $(STAMP)

# The stamp comes last, so that an interrupted installation is taken up again. Bytecode is left to
# the first import of each module: compiling all of it here would double the time.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "rlattn needs Python 3.11 or newer, and '$(PYTHON)' answers:" \
	        "$$($(PYTHON) --version 2>&1 | head -n 1). Try: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; \
	    exit 1; }
	@echo "Installing into $(VENV) (PyTorch is large; this takes a few minutes the first time) ..."
	@rm -f $@
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-input --no-compile \
	    -c constraints.txt -e '.[dev,browser,docs,hub,contrib,compare,minilm,zoo]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m rlattn.experiments.ppo_translate --out $(OUT) $(ARGS)

# One thread per process: the tests run side by side, and PyTorch would take every core for each.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) $(ARGS)

docs: $(STAMP)
	@$(BIN)/python -m sphinx -W --keep-going -q -E docs build/site
	@echo "The site is in build/site: open build/site/index.html"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache
