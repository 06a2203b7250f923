# What a newcomer types: `make run`, `make test`. Everything lands in .venv and in the model cache; nothing needs root.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# uv trusts whom the system trusts, as pip does: a company's own certificate authority is no obstacle.
export UV_SYSTEM_CERTS ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench lock clean

help:
	@echo "make run    install, fetch the demo's models, start everything, print one address"
	@echo "make test   run every test (starts its own Postgres and Valkey)"
	@echo "make check  lint, types, import directions, migrations"
	@echo "make setup  only install into $(VENV)"
	@echo "make lock   resolve requirements.lock anew from pyproject.toml"

$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Understudy needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12")'
	@echo "Installing into $(VENV); the first time takes a minute ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip sync -q --python $(BIN)/python --compile-bytecode requirements.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	@touch $@

setup: $(VENV)/.installed

run: setup
	@$(BIN)/understudy up $(ARGS)

test: setup
	$(BIN)/python -m pytest $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/understudy migrations-check

lock:
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --group dev pyproject.toml \
		--no-emit-index-url --generate-hashes --no-header -o requirements.lock

clean:
	rm -rf $(VENV)
