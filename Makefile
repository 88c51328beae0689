# make reproduce   install, then run every experiment at SCALE (default: mini)
# make bench       measure speed and memory (about 15 minutes on 2 quiet cores)
# make check       install, then lint, check types and layers, and run the fast tests
# make test        the same and all tests, in the order of the files; ORDER=random shuffles them
# make lock        resolve the versions anew (needs uv); what is locked stays unless it must change
# make audit       look for known vulnerabilities in what is locked (needs pip-audit)
# make test-slurm  only those on a real Slurm (root; skipped where Slurm is not installed)

PYTHON ?= python3
# In the environment, so that the shell does not read it as commands.
export SCALE ?= mini
VENV := .venv
INSTALLED := $(VENV)/.installed

ORDER ?= file
PYTEST := $(VENV)/bin/python -m pytest -q $(if $(filter random,$(ORDER)),,-p no:randomly)
# Pure logic: no process is started, nothing is trained.
FAST := $(addprefix tests/,growth config experiments tables jobs project networks/test_names.py)
# Folders that run beside all others: the workflow computes on both cores, Slurm mostly waits.
WORKFLOW := $(addprefix tests/,workflow crashes)

.PHONY: reproduce check test test-package test-workflow test-slurm bench install lock audit lint types layers clean

reproduce: $(INSTALLED)
	$(VENV)/bin/python -m analysis unlock
	$(VENV)/bin/python -m analysis reproduce --scale "$$SCALE"

# Each of the three parts prints when it has ended, where make can do that (not the 3.81 of macOS).
test: lint types layers
	$(MAKE) --no-print-directory --jobs 3 --keep-going \
		$(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-package test-workflow test-slurm

check: lint types layers
	$(PYTEST) $(FAST)

test-package: $(INSTALLED)
	$(PYTEST) $(addprefix --ignore ,$(WORKFLOW) tests/slurm)

test-workflow: $(INSTALLED)
	$(PYTEST) $(WORKFLOW)

test-slurm: $(INSTALLED)
	$(PYTEST) tests/slurm

bench: $(INSTALLED)
	$(VENV)/bin/python -m benchmarks

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow
	$(VENV)/bin/codespell

types: $(INSTALLED)
	$(VENV)/bin/mypy

layers: $(INSTALLED)
	$(VENV)/bin/lint-imports

install: $(INSTALLED)

$(INSTALLED): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# connection-pool is published as source alone. What builds it must be locked too: pip would
	@# fetch any setuptools for that, unchecked.
	awk '/^[^ ]/ { keep = /^setuptools==/ } keep' requirements.lock > $(VENV)/setuptools.lock
	$(VENV)/bin/pip install --quiet --require-hashes --only-binary :all: -r $(VENV)/setuptools.lock
	$(VENV)/bin/pip install --quiet --require-hashes --no-build-isolation \
		--only-binary :all: --no-binary connection-pool -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

lock:
	uv pip compile pyproject.toml --extra suite --extra test --universal --generate-hashes \
		--python-version 3.11 --no-header --no-annotate -o requirements.lock

audit:
	pip-audit -r requirements.lock --require-hashes --disable-pip

clean:
	rm -rf $(VENV) .snakemake results/out
