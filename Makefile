# Everything a developer or a newcomer runs. Each target creates or updates .venv by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test bench test-slow test-crash test-browser test-outlets test-month test-day test-ninety test-replay test-unit check eval pictures lock format clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

demo: setup
	@$(BIN)/rasid demo $(DEMO_FLAGS)

test: setup
	$(BIN)/python -m pytest -n 4 --dist worksteal

test-slow: setup
	$(BIN)/python -m pytest -m slow --timeout 900
	$(BIN)/python -m pytest -m "hypothesis and not slow" --hypothesis-profile thorough --timeout 900

test-crash: setup  # a part of test-slow
	$(BIN)/python -m pytest -m slow tests/test_writer.py tests/test_power_loss.py --timeout 1800

test-browser: setup
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation --editable '.[browser]'
	$(BIN)/python -m pytest tests/test_browser.py -m "slow or not slow" --timeout 300

test-outlets: setup
	$(BIN)/python -m pytest -m outlets --timeout 900

test-replay: setup
	@test -x .venv-replay/bin/python || $(PYTHON) -m venv .venv-replay
	@.venv-replay/bin/python -m pip install -qq --disable-pip-version-check pywb==2.10.0
	$(BIN)/python -m pytest -m replay --timeout 300

test-unit: setup  # docs/install/rasid.service under a systemd of its own; as root, in half a minute
	$(BIN)/python -m pytest -m unit -rs

test-month: setup  # simulated months, by SEEDS="1 2 3"; a few minutes each
	$(BIN)/python -m pytest -m month -s

test-day: setup  # a simulated day of OUTLETS=100, with what a poll and a page cost
	$(BIN)/python -m pytest -m day -s

test-ninety: setup  # DAYS=90 simulated days of a service that is killed every day, with a mail server that fails
	$(BIN)/python -m pytest -m ninety -s

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -p no:randomly tests/test_architecture.py tests/test_docs.py

eval: setup
	$(BIN)/python -m tests.evaluate $(ARCHIVE)

bench: setup
	$(BIN)/python -m tests.bench_store $(VERSIONS)

pictures: setup
	$(BIN)/python -m tests.pictures docs/mail

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:
	uv pip compile --universal --generate-hashes --extra dev --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --custom-compile-command "make lock" -q -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
