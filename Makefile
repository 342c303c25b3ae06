# make demo needs nothing but Python 3.11 or later, with pip. make test also needs npm, for pyright and the YAML language server.
# make browser also needs npm, for axe-core, and Chromium: Debian's package is chromium. make pictures needs Chromium, and
# the fonts DejaVu and Liberation: Debian's packages are fonts-dejavu and fonts-liberation.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Another release: make live LABEL_STUDIO=1.22.0
NEWEST := 1.23.2
LABEL_STUDIO := $(NEWEST)
LIVE := .live/$(if $(filter $(NEWEST),$(LABEL_STUDIO)),venv,$(LABEL_STUDIO))
LIVE_TESTS := tests/live
AXE_CORE := 4.14.1
BENCH ?=
MUTATE ?=

.DEFAULT_GOAL := help
.PHONY: help demo test live browser pictures bench mutate check format schema wheel clean

help: ## Show the targets.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/ready ## Plan, apply and plan the examples against the sandbox.
	sh examples/demo.sh $(BIN)/reconciler

test: $(VENV)/test ## Run all tests but those on a real Label Studio.
	$(BIN)/pytest -n auto --ignore tests/browser

live: $(VENV)/test $(LIVE)/ready ## Run the tests of the server's behaviour on a real Label Studio (LABEL_STUDIO=1.22.0: another).
	RECONCILER_LIVE_BIN="$${RECONCILER_LIVE_BIN:-$(LIVE)/bin/label-studio}" $(BIN)/pytest $(LIVE_TESTS) --server real

browser: $(VENV)/browser .browser/ready ## Try the HTML page in Chromium, and check it with axe-core.
	$(BIN)/pytest tests/browser

pictures: $(VENV)/browser ## Draw the pictures of the README with Chromium.
	$(BIN)/python -m docs.pictures

bench: $(VENV)/test ## Measure speed and memory beside their floors. BENCH="--help" shows options.
	$(BIN)/python -m tests.bench --label-studio $(LIVE)/bin $(BENCH)

mutate: $(VENV)/mutate ## Change the code a little, many times, and count what tests notice. MUTATE="--help" shows options.
	$(BIN)/python -m tests.mutation $(MUTATE)

check: $(VENV)/check ## Lint, types, import contract, schema.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/reconciler schema check schemas/manifest.schema.json

format: $(VENV)/check ## Format the code.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: $(VENV)/ready ## Build the manifest schema from the API description.
	$(BIN)/reconciler schema build --out schemas/manifest.schema.json

wheel: $(VENV)/check ## Build the wheel, and try it in an empty environment.
	sh .ci/wheel $(BIN)/python

clean: ## Remove what was built and installed.
	rm -rf $(VENV) .live .bench .browser mutants build dist

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/test: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/check: $(VENV)/test
	$(BIN)/python -m pip install --quiet --group check
	touch $@

$(VENV)/browser: $(VENV)/test
	$(BIN)/python -m pip install --quiet --group browser
	touch $@

.browser/ready:
	npm install --prefix .browser --no-audit --no-fund --ignore-scripts --silent axe-core@$(AXE_CORE)
	touch $@

$(VENV)/mutate: $(VENV)/test
	$(BIN)/python -m pip install --quiet --group mutate
	touch $@

# Label Studio pins its libraries: it lives in an environment of its own.
$(LIVE)/ready:
	$(PYTHON) -m venv $(LIVE)
	$(LIVE)/bin/python -m pip install --quiet "label-studio==$(LABEL_STUDIO)"
	touch $@
