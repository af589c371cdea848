# Everything runs in a virtual environment in this folder; each target sets up what it needs.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
FILE ?= config/config.yaml
BIN := .venv/bin
RUN := PATH="$$PWD/$(BIN):$$PATH"
export FILE
# A user without a home that can be written to, as containers have them: caches and settings go into this folder.
ifneq ($(shell test -w "$$HOME" && echo writable),writable)
export XDG_CACHE_HOME ?= $(CURDIR)/.snakemake/cache
export MPLCONFIGDIR ?= $(CURDIR)/.snakemake/cache/matplotlib
endif
export USER ?= nobody
# Bytecode is kept, also where the surroundings forbid it, as images of containers do: else each job compiles torch anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help quick report check test lint format bench site prune pins
help:  # what there is; a bare `make` starts no work
	@echo "make quick              a small study of the clearest effects -> results/quick/report.html"
	@echo "make report             the default study -> results/default/report.html"
	@echo "make check FILE=x.yaml  checks a config, and says how long its study takes"
	@echo "make test               the tests"
	@echo "make lint               what is checked without running anything"
	@echo "make format             lays code out as lint wants it, and mends what can be mended by itself"
	@echo "make bench              how fast training is -> results/bench.json"
	@echo "make site               the reference studies, findings and documents as a static site -> site/"
	@echo "make prune              deletes stored networks that no study uses"
	@echo "README.md says the rest; CORES=N sets how many cores are used."
quick: .venv/ready
	@$(RUN) python -m bnstudy plan --config config/quick.yaml
	$(RUN) snakemake --cores $(CORES) --configfile config/quick.yaml
report: .venv/ready
	@$(RUN) python -m bnstudy plan
	$(RUN) snakemake --cores $(CORES)
check: .venv/ready
	@$(RUN) python -m bnstudy check "$$FILE" && $(RUN) python -m bnstudy plan --config "$$FILE"
test: .venv/ready
	$(RUN) pytest -q --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder
lint: .venv/ready
	$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) snakefmt --check Snakefile workflow && $(RUN) mypy && $(RUN) lint-imports
format: .venv/ready
	$(RUN) ruff check --fix . && $(RUN) ruff format . && $(RUN) snakefmt Snakefile workflow
bench: .venv/ready
	$(RUN) python -m bnstudy.bench
site: .venv/ready
	$(RUN) python -m bnstudy site --out site
prune: .venv/ready
	$(RUN) python -m bnstudy prune
# Pins with hashes from pyproject.toml, by uv (pip install uv); those that fit stay as they are. Resolved for macOS, where torch brings no
# CUDA, less the one package that macOS alone needs: CUDA's packages come with the build of torch that pip finds.
pins:
	MACOSX_DEPLOYMENT_TARGET=14.0 uv pip compile pyproject.toml --extra run --extra report --extra dev --python-version 3.11 \
		--python-platform macos --constraint requirements-torch.txt --no-emit-package torch --no-emit-package appnope --generate-hashes \
		--no-annotate --custom-compile-command "make pins" --output-file requirements.txt
# On macOS pip looks for what the extras need too, which takes it nine seconds: the one package that the pins leave out.
EXTRAS_Darwin := [run,report,dev]
# Nothing is compiled to bytecode beforehand, which would take longer than the rest: Python does it at the first import.
.venv/ready: requirements.txt requirements-torch.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -r requirements-torch.txt --editable '.$(EXTRAS_$(shell uname))'
	touch $@
