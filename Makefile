# make setup: everything on a fresh Debian or Ubuntu machine; make demo and make test call it.
VENV ?= .venv
BIN = $(VENV)/bin
.PHONY: setup demo test e2e check bench wheel
setup:
	@tools/setup $(VENV)
demo: setup
	@tools/demo
test: setup
	@$(BIN)/python -m pytest -n 2 --dist worksteal
e2e: setup
	@$(BIN)/python -m pytest -m end_to_end -n 2 --dist worksteal
check: setup
	@tools/check
bench: setup
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done
wheel: setup
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
