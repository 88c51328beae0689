# make reproduce   install, then run every experiment at SCALE (default: mini)
# make bench       measure speed and memory (about 15 minutes on 2 quiet cores)
# make test        install, then lint, check formats and run the tests
# make lock        resolve the versions anew (needs uv); what is locked stays unless it must change
# make audit       look for known vulnerabilities in what is locked (needs pip-audit)
# make test-slurm  only those on a real Slurm (root; skipped where Slurm is not installed)

PYTHON ?= python3
SCALE ?= mini
VENV := .venv
INSTALLED := $(VENV)/.installed

.PHONY: reproduce test test-package test-workflow test-slurm bench install lock audit lint clean

reproduce: $(INSTALLED)
	$(VENV)/bin/python -m analysis unlock
	$(VENV)/bin/python -m analysis reproduce --scale $(SCALE)

# Both parts are mostly one process that waits or computes on one core. Each prints when it has
# ended, where make can do that (not the 3.81 of macOS).
test: lint
	$(MAKE) --no-print-directory --jobs 2 --keep-going \
		$(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-package test-workflow

test-package: $(INSTALLED)
	$(VENV)/bin/python -m pytest --ignore tests/slurm --ignore tests/workflow

test-workflow: $(INSTALLED)
	$(VENV)/bin/python -m pytest tests/slurm tests/workflow

test-slurm: $(INSTALLED)
	$(VENV)/bin/python -m pytest tests/slurm

bench: $(INSTALLED)
	$(VENV)/bin/python -m benchmarks

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/snakefmt --check Snakefile workflow

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
