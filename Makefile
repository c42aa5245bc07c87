# make setup: everything on a fresh Debian or Ubuntu machine; make demo and make test call it.
VENV ?= .venv
BIN = $(VENV)/bin
# More than there are cores, since tests on real nodes mostly wait; a file's tests share what it started.
AT_ONCE = -n 6 --dist loadfile --no-loadscope-reorder
SWEEPS = tests/faults tests/archive/test_archive_damage.py tests/engine/test_migrate_interrupted.py
LOOP = tests/end_to_end/test_production_loop.py
BOOTED ?= /var/cache/engram-runbook-booted
KILLED = tests/end_to_end/test_killed.py tests/end_to_end/test_failing_step.py
# The tests start a thousand processes: each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
# And each would start threads for vectors that none of them has.
export OPENBLAS_NUM_THREADS = 1
.PHONY: setup demo test faults e2e booted check bench wheel
setup:
	@tools/setup $(VENV)
demo: setup
	@tools/demo
# On a fresh clone each of those at work would compile all tests anew, at the same time.
test: setup
	@[ -d tests/__pycache__ ] || $(BIN)/python -m pytest --collect-only -q >/dev/null || true
	@$(BIN)/python -m pytest $(AT_ONCE)
# Every point of the sweeps of which `make test` takes a sample.
faults: setup
	@FAULTS=all $(BIN)/python -m pytest $(SWEEPS) -n 2 --dist load --timeout 1800
	@FAULTS=all $(BIN)/python -m pytest $(KILLED) $(AT_ONCE)
# The whole loop of production first, by itself, so that nothing else is in its time; `make test` has it among the others.
e2e: setup
	@$(BIN)/python -m pytest $(LOOP)
	@$(BIN)/python -m pytest -m end_to_end $(AT_ONCE) --ignore $(LOOP)
# With root, systemd-container and debootstrap only; what debootstrap brings is kept in that folder for the next time.
booted: setup
	@BOOTED=$(BOOTED) $(BIN)/python -m pytest tests/booted --maxfail 1
check: setup
	@tools/check
bench: setup
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done
wheel: setup
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
