# All targets run inside .venv, which they make when it is missing; PYTHON chooses the interpreter that it is made from.
# A stamp file records each installation, so that it is repeated only when the requirements have changed.
PYTHON ?= python3
PYTEST_ARGS ?=
CASES ?= 10000
PAGE_ARGS ?=
SECONDS ?= 60
SEED ?= 0

python := .venv/bin/python
requirements := setup.cfg pyproject.toml constraints.txt

.DELETE_ON_ERROR:
.PHONY: demo test lint test-slow mutation malformed fuzz tamper targets-matrix impossible-matrix certificates-attack coq mamba-ssm test-mamba-ssm test-gpu study bench docs notebooks page page-check clean

demo: .venv/core.stamp
	$(python) -m verify dyck --k 2 --depth 5

test: lint
	$(python) -m pytest -n 2 --dist loadgroup -m "not slow" $(PYTEST_ARGS)

# Layout, rules and types, as pyproject.toml has them.
lint: .venv/test.stamp
	$(python) -m ruff format --check .
	$(python) -m ruff check .
	$(python) -m mypy

test-slow: .venv/test.stamp
	$(python) -m pytest -n 2 -m slow $(PYTEST_ARGS)

# Plants a fault for each condition of a proof, one by one, and prints whether a test sees it (half an hour on two cores).
mutation: .venv/test.stamp
	$(python) -m tests.mutation --jobs 2

# Every language that is promised on every stock target, and corrupted weights, cell by cell; goes on where it was interrupted.
targets-matrix: .venv/test.stamp
	$(python) -W ignore -m tests.targets_matrix --out build/targets-matrix.jsonl

# Every cell of the catalogue and the architectures that a theorem forbids, on 100 random models; goes on where it was interrupted.
impossible-matrix: .venv/test.stamp
	$(python) -W ignore -m tests.impossible_matrix --out build/impossible-matrix.jsonl

# So many malformed inputs, over all commands; the same seed gives the same ones.
malformed: .venv/test.stamp
	$(python) -m tests.malformed --cases $(CASES) --seed $(SEED)

# Edits saved models at random, and holds every verdict about them against a brute force: SECONDS=60 SEED=0.
fuzz: .venv/test.stamp
	$(python) -m tests.fuzz --seconds $(SECONDS) --seed $(SEED)

# Has Coq (8.16 or later) check the theory in verify/coq, and the models as they are compiled today, all theorems without assumptions.
coq: .venv/core.stamp
	$(python) -m verify.certificate.coq_check build/coq

# Certificates that were tampered with, and certificates written by provers with planted faults: none that is false may be verified.
tamper: .venv/test.stamp
	$(python) -m tests.tampering --seed $(SEED)

certificates-attack: .venv/test.stamp
	$(python) -m tests.planted_provers --rows build/certificates-attack.jsonl

# The official package, in a folder of its own: transformers must not see it, or it would use kernels that a CPU does not have.
mamba-ssm: .venv/mamba-ssm.stamp

test-mamba-ssm: .venv/mamba-ssm.stamp
	$(python) -m pytest -rs -m "not gpu" tests/test_mamba_official.py $(PYTEST_ARGS)

# The official kernels have to be installed in .venv/mamba-ssm: mamba-ssm, causal-conv1d and flash-linear-attention.
test-gpu: .venv/test.stamp
	$(python) -m pytest -rsP -m gpu tests/test_mamba_official.py tests/test_stock_on_gpu.py tests/test_cells_on_gpu.py $(PYTEST_ARGS)

# Trains the star-free languages of the paper and judges each model (half an hour on two cores; goes on where it was interrupted).
study: .venv/test.stamp
	mkdir -p build
	$(python) -m verify study --out build/study --plot build/study.png

bench: .venv/test.stamp
	$(python) -m benchmarks

# The reference of what people import, as pages in build/docs.
docs: .venv/docs.stamp
	$(python) -m pdoc -d google --no-show-source -o build/docs verify verify.testing automata.machine constructions.target

# The notebooks in JupyterLab; make test runs them all.
notebooks: .venv/jupyter.stamp
	$(python) -m jupyterlab notebooks

# A page to look at, opened from disk: build/page/index.html.
page: .venv/test.stamp
	$(python) -m verify report --out build/page $(PAGE_ARGS)

# The page in headless Chromium, in node, and under axe-core, which npm brings.
page-check: .venv/test.stamp
	$(python) -m pytest -rs tests/test_page.py $(PYTEST_ARGS)

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(python):
	@"$(PYTHON)" -c 'import sys; sys.exit("Python 3.10 or later is needed: choose it with PYTHON=..." if sys.version_info < (3, 10) else 0)'
	"$(PYTHON)" -m venv .venv

.venv/core.stamp: $(requirements) | $(python)
	$(python) -m pip install -e . -c constraints.txt
	touch $@

.venv/test.stamp: $(requirements) | $(python)
	$(python) -m pip install -e '.[test]' -c constraints.txt
	touch .venv/core.stamp $@

.venv/jupyter.stamp: .venv/core.stamp
	$(python) -m pip install -e '.[jupyter]' -c constraints.txt
	touch $@

.venv/docs.stamp: .venv/core.stamp
	$(python) -m pip install -e '.[docs,testing]' -c constraints.txt
	touch $@

.venv/mamba-ssm.stamp: .venv/test.stamp
	MAMBA_FORCE_BUILD=TRUE MAMBA_SKIP_CUDA_BUILD=TRUE $(python) -m pip install --target .venv/mamba-ssm --upgrade \
		--no-build-isolation --no-deps mamba-ssm==2.3.2.post1 einops==0.8.2 triton==3.9.0
	touch $@
