# make demo   the main job end to end, then the site until Ctrl-C
# make test   everything that must hold, on a bare machine with Python 3.11
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
DEMO_FLAGS ?=
TEST_FLAGS ?=
# Byte code is kept as modules are first read. Where the machine says it must not be, every process reads all of it anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test check generate pictures drill browser lock clean

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml package-lock.json $(wildcard serving/static/*.*) serving/assets.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Belong needs Python 3.11 or newer; name one with: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -c 'import lightgbm' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && { \
	  apt-get install -y -qq --no-install-recommends libgomp1 >/dev/null 2>&1 || { \
	    apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends libgomp1 >/dev/null; }; } \
	  && $(BIN)/python -c 'import lightgbm'; } \
	  || { echo "LightGBM needs the system library libgomp (package libgomp1 or libgomp): install it and run again."; exit 1; }
	$(BIN)/python -m serving.assets
	touch $@

demo: setup
	$(BIN)/belong demo $(DEMO_FLAGS)

test: setup browser
	$(BIN)/python -m pytest -m "not drill" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(TEST_FLAGS)

# Style, types and contracts alone.
check: setup
	$(BIN)/python -m pytest -q tests/house/test_checks.py

drill: setup browser
	$(BIN)/python -m pytest -m drill -o timeout=1800 $(TEST_FLAGS)

# Every page as it looks, drawn by the browser tests that check it, and their index.
pictures: setup browser
	BELONG_PICTURES=$(CURDIR)/docs/pages $(BIN)/python -m pytest -q tests/journey/test_browser.py
	$(BIN)/python -m serving.generate

generate: setup
	$(BIN)/python -m serving.generate

# The browser tests drive the system's Chromium. Where it cannot be installed they say so (and fail when CI=true).
browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || { \
	  [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && { \
	    apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null 2>&1 || { \
	      apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium fonts-liberation >/dev/null; }; }; } \
	|| echo "Chromium is not installed and could not be: the browser tests will say so."

# Hashes for every platform and no addresses; needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --extra impact --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -o requirements.lock

clean:
	rm -rf .venv node_modules serving/static/build
