# make reproduce   install, then run every experiment at SCALE (default: mini)
# make rebuild     make the tables and figures of SCALE from committed archives, without training
# make bench       measure speed and memory (about 15 minutes on 2 quiet cores)
# make check       install, then lint, check types and layers, and run the fast tests
# make test        the same and all tests, in the order of the files; ORDER=random shuffles them
# make lock        resolve the versions again (needs uv); what is locked stays unless it must change
# make audit       look for known vulnerabilities in what is locked (needs pip-audit)
# make test-slurm  only those on a real Slurm (root; skipped where Slurm is not installed)

PYTHON ?= python3
# In the environment, so that the shell does not read it as commands.
export SCALE ?= mini
VENV := .venv
INSTALLED := $(VENV)/.installed

ORDER ?= file
PYTEST := $(VENV)/bin/python -m pytest -q --durations=25 $(if $(filter random,$(ORDER)),,-p no:randomly)
# Pure logic: no process is started, nothing is trained.
FAST := $(addprefix tests/,growth config tables networks/test_names.py \
	project/test_documents.py project/test_project.py)
# The chapters of autogrow; the part test-analysis has what no other part has.
AUTOGROW := $(addprefix tests/,api batches cli config data growth networks process runs training using)
# What `make test` runs side by side: the workflow's jobs take both cores, Slurm mostly waits.
PARTS := lint types layers test-autogrow test-analysis test-workflow test-crashes test-slurm

.PHONY: reproduce rebuild check test $(PARTS) bench install lock audit clean

reproduce: $(INSTALLED)
	$(VENV)/bin/python -m analysis unlock
	$(VENV)/bin/python -m analysis reproduce --scale "$$SCALE"

rebuild: $(INSTALLED)
	$(VENV)/bin/python -m analysis rebuild --scale "$$SCALE"

# Each part prints when it has ended, where make can do that (not the 3.81 of macOS).
test: $(INSTALLED)
	$(MAKE) --no-print-directory --jobs $(words $(PARTS)) --keep-going \
		$(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(PARTS)

check: lint types layers
	$(PYTEST) $(FAST)

test-autogrow: $(INSTALLED)
	$(PYTEST) $(AUTOGROW)

test-analysis: $(INSTALLED)
	$(PYTEST) $(addprefix --ignore ,$(AUTOGROW) $(addprefix tests/,workflow crashes slurm))

test-workflow test-crashes test-slurm: test-%: $(INSTALLED)
	$(PYTEST) tests/$*

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
	uv pip compile pyproject.toml --all-extras --universal --generate-hashes \
		--python-version 3.11 --no-header --no-annotate -o requirements.lock

audit:
	pip-audit -r requirements.lock --require-hashes --disable-pip

clean:
	rm -rf $(VENV) .snakemake results/out
