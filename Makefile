# What a checkout can do. `make demo` walks the whole road, `make test` proves it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
VENV := .venv
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile

.PHONY: setup test-tools demo test test-all lint docs clean

setup:
	@tools/setup $(VENV)

test-tools:
	@tools/setup $(VENV) tests

# Recordings that lie beside the checkout are used without being asked for.
demo: export EDGEBIO_DATA := $(or $(EDGEBIO_DATA),$(wildcard $(abspath ../shared/data)))
demo: setup
	$(VENV)/bin/python tools/demo.py

test: test-tools
	$(PYTEST) -m "not slow"

# Property tests try more examples here.
test-all: test-tools
	$(PYTEST) --hypothesis-profile=thorough

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	git ls-files -z '*.c' '*.h' | xargs -0r $(VENV)/bin/clang-format --dry-run -Werror

# The site, into build/site; nothing is loaded from elsewhere.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

clean:
	rm -rf build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
