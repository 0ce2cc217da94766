# Everything a newcomer needs: `make run`, then `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ENV ?= quick
# Of pytest: a process that runs out of tests takes some from another one.
PARALLEL := --numprocesses=logical --maxprocesses=4 --dist=worksteal
# Charts of the latest GAN and WGAN, side by side; the view is in conf/base/tracking.yml.
COMPARISON := http://127.0.0.1:5000/\#/experiments/1/runs?compareRunsMode=CHART&viewStateShareKey=gan-and-wgan

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export MLFLOW_DISABLE_TELEMETRY := true
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help run demo test test-fast test-faults lint bench report-pdf viz viz-static ui docs clean distclean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(VENV)/.installed ## run every pipeline on the real data (ENV=quick; ENV=base for the assignment's 100 epochs)
	$(BIN)/kedro run --env $(ENV)
	@echo
	@echo "The report:       data/08_reporting/report.html"
	@echo "The lineage:      make viz   (Kedro-Viz, on port 4141; make viz-static for a site to put anywhere)"
	@echo "The experiments:  make ui    (MLflow, on port 5000), then for GAN and WGAN side by side:"
	@echo "                  $(COMPARISON)"

demo: $(VENV)/.installed data/05_model_input/benchmark.npz ## samples and OOD scores of the models that come with the package; IMAGES=folder scores yours
	$(BIN)/fashion-dgm demo $(IMAGES)

data/05_model_input/benchmark.npz: | $(VENV)/.installed
	$(BIN)/kedro run --env $(ENV) --pipelines data_split

report-pdf: $(VENV)/.installed ## print the report of the last run to a PDF file, by an installed Chromium, Chrome or Edge
	$(BIN)/fashion-dgm pdf

test: $(VENV)/.installed-dev ## run the whole test suite, one process a core; the documentation's links are part of it
	$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(VENV)/.installed-dev ## run the tests without real commands, browser or training, in a few minutes
	$(BIN)/python -m pytest $(PARALLEL) -m "not e2e and not browser and not slow"

test-faults: $(VENV)/.installed-dev ## damaged and hostile files, signals, odd parameters; the counts go to docs/robustness.md (25 minutes)
	FAULTS_REPORT=docs/robustness.md $(BIN)/python -m pytest -m faults tests/faults

lint: $(VENV)/.installed-dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev ## time the project against reference implementations (14 to 25 minutes)
	$(BIN)/python -m benchmarks

viz: $(VENV)/.installed ## show the lineage in Kedro-Viz, on port 4141
	$(BIN)/fashion-dgm lineage --env $(ENV) --serve 4141

viz-static: $(VENV)/.installed ## build the lineage as a static site, after a run
	$(BIN)/fashion-dgm lineage --env $(ENV)

ui: $(VENV)/.installed ## compare experiments in MLflow
	@echo "GAN and WGAN side by side: $(COMPARISON)"
	$(BIN)/mlflow ui --backend-store-uri sqlite:///data/09_tracking/mlflow.db --port 5000

docs: $(VENV)/.installed-docs ## build the documentation into site/
	$(BIN)/mkdocs build --strict

clean: ## remove what runs have made; raw data and the environment stay
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete
	rm -rf site screenshots .viz .pytest_cache .mypy_cache .ruff_cache

distclean: clean ## remove the environment and the raw data, too
	rm -rf $(VENV)
	find data/01_raw -mindepth 1 -not -name .gitkeep -delete

# The `.installed` files stand for what pip has done, so that it is done again only when its input changes.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fashion-dgm needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[viz]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@
