# make reproduce   install, then run every experiment at SCALE (default: mini)
# make bench       measure speed and memory (about 15 minutes on 2 quiet cores)
# make test        install, then lint, check formats and run the tests
# make test-slurm  only those on a real Slurm (root; skipped where Slurm is not installed)

PYTHON ?= python3
SCALE ?= mini
VENV := .venv
INSTALLED := $(VENV)/.installed

.PHONY: reproduce test test-slurm bench install lint clean

reproduce: $(INSTALLED)
	$(VENV)/bin/snakemake --cores all --config scale=$(SCALE)
	@echo
	@echo "Tables (CSV and Markdown): results/out/$(SCALE)/tables"
	@echo "Figures (CSV, PDF and PNG): results/out/$(SCALE)/figures"
	@echo "Runs (metrics, growth, summary, weights): results/out/$(SCALE)/runs"

test: lint
	$(VENV)/bin/python -m pytest

test-slurm: $(INSTALLED)
	$(VENV)/bin/python -m pytest tests/slurm

bench: $(INSTALLED)
	$(VENV)/bin/autogrow bench

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -c constraints.txt -e '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .snakemake results/out
