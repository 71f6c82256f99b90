# Everything lives in .venv; each target makes what it needs first, as root or not, with no service running.
# make run    the cases play, then everything stays up         make test   every test, the style included
# make play   the cases play, and it exits                     make check  style, types and floors alone
# make bench  the measurements                                 make setup  only what the others need
# make pictures  the pages' pictures in docs/pictures, anew
.DEFAULT_GOAL := run
.PHONY: setup run play test check bench pictures chaos distributed pages lock clean
.DELETE_ON_ERROR:

UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHISTLE := $(BIN)/whistle
SCENARIOS = $(wildcard cases/samples/scenarios/*.yaml)
# Two workers measured fastest on two cores; more cores may have more: make test WORKERS=8. Whoever is done takes over from
# the other: the longest tests come last.
WORKERS ?= 2
# A clone may lie on another file system than the cache: copying always works, linking only sometimes.
export UV_LINK_MODE ?= copy
export UV_NO_PROGRESS ?= 1
# A public body's network often has a certificate authority of its own, which only the system knows.
export UV_SYSTEM_CERTS ?= 1
# Some images forbid Python to keep what it compiled: then importing Prefect takes each process two seconds, not one.
export PYTHONDONTWRITEBYTECODE :=

setup: $(READY)

# Old pip can't install a universal, hashed lock, so a pinned uv goes into .venv and does it.
$(READY): requirements.lock pyproject.toml Makefile
	@set -e; \
	python=''; \
	for candidate in "$(PYTHON)" python3 python3.13 python3.12 python3.11 python; do \
	  [ -n "$$candidate" ] || continue; \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then python=$$candidate; break; fi; \
	  if [ "$$candidate" = "$(PYTHON)" ]; \
	  then echo "PYTHON=$(PYTHON) 不是 3.11 或更新的 Python。 / PYTHON=$(PYTHON) isn't Python 3.11 or newer." >&2; exit 2; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "需要 Python 3.11 或更新版本;若已安装在别处: make PYTHON=/路径/python3 …" >&2; \
	  echo "Python 3.11 or newer is needed; if you have one elsewhere: make PYTHON=/path/to/python3 …" >&2; exit 2; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	  if "$$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then "$$python" -m venv --clear $(VENV); \
	  elif "$$python" -c 'import venv, pip' >/dev/null 2>&1; then "$$python" -m venv --clear --without-pip $(VENV); \
	  else \
	    echo "$$python 缺少 venv/ensurepip(Debian、Ubuntu: apt install python3-venv)。" >&2; \
	    echo "$$python has no venv/ensurepip (on Debian and Ubuntu: apt install python3-venv)." >&2; exit 2; fi; \
	fi; \
	if [ "$$($(BIN)/uv --version 2>/dev/null | cut -d' ' -f2)" != "$(UV_VERSION)" ]; then \
	  if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
	  else pip="$$python -m pip --python $(BIN)/python"; fi; \
	  $$pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	fi; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	touch $(READY)

# A story that doesn't hold is shown, and the rest starts all the same; a faulty file stops it. The sample district
# goes into an empty installation only: real records refuse it, and nothing is lost by that; then some two hundred cases,
# once, so that no page is empty. Its members get passwords, printed once; where real records are, the demonstration
# turns itself off.
run: $(READY)
	@$(WHISTLE) play $(SCENARIOS) || [ $$? -eq 1 ]
	@$(WHISTLE) city load --district 玄武区 || [ $$? -eq 2 ]
	@$(WHISTLE) demo load || [ $$? -eq 2 ]
	@exec env WHISTLE_DEMO=yes $(WHISTLE) up

play: $(READY)
	@$(WHISTLE) play $(SCENARIOS)

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.lints

bench: $(READY)
	@$(BIN)/python -m tests.benchmarks

# The demonstration in a throwaway installation, seen through Chromium by each of its roles.
pictures: $(READY)
	@$(BIN)/python -m tests.browser.pictures

# The long form of the programmes that the ordinary run has in short; docs/reference/programmes.md says what each shows.
chaos: $(READY)
	@KILLS=200 RESTARTS=20 DAYS=100 CROWD=10000 WALKS=300 \
	  $(BIN)/python -m pytest -m "" tests/chaos tests/cases/test_engine_walks.py \
	    tests/workflows/test_mending.py

# Several machines on this one, each killed in its turn; as root it installs Debian's PostgreSQL and Redis if need be.
distributed: $(READY)
	@$(BIN)/python -m pytest -p no:xdist -s -m long tests/distributed

# Every page that a role of the demonstration comes to by clicking, in both widths and languages. Another browser, an old
# one for instance: make pages WHISTLE_TEST_CHROMIUM=/where/it/is.
pages: $(READY)
	@$(BIN)/python -m pytest -p no:xdist -s -m long tests/browser/test_every_page.py

# Bugs planted in a copy of the tree, one by one; each has to be noticed by the test that is named for it.
mutants: $(READY)
	@$(BIN)/python -m tests.chaos.mutants $(WORDS)

# Resolves anew within the bounds of pyproject.toml; names no registry and no machine.
lock: $(READY)
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --no-annotate --no-emit-index-url --no-emit-find-links --group dev --extra distributed pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis
