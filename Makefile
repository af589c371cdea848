# Everything runs in a virtual environment in this folder; each target sets up what it needs.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: report quick test lint prune bench
report: .venv/ready
	@$(RUN) python -m bnstudy plan
	$(RUN) snakemake --cores $(CORES)
quick: .venv/ready
	$(RUN) snakemake --cores $(CORES) --configfile config/quick.yaml
test: .venv/ready
	$(RUN) pytest -q --numprocesses $(CORES) --dist loadfile
lint: .venv/ready
	$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) snakefmt --check Snakefile workflow && $(RUN) mypy && $(RUN) lint-imports
bench: .venv/ready
	$(RUN) python -m bnstudy.bench
prune: .venv/ready
	$(RUN) python -m bnstudy prune
.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@
