# All targets run inside .venv, which they make when it is missing; PYTHON chooses the interpreter that it is made from.
# A stamp file records each installation, so that it is repeated only when the requirements have changed.
PYTHON ?= python3
PYTEST_ARGS ?=

python := .venv/bin/python
requirements := setup.cfg pyproject.toml constraints.txt

.DELETE_ON_ERROR:
.PHONY: demo test bench clean

demo: .venv/core.stamp
	$(python) -m verify dyck --k 2 --depth 5

test: .venv/test.stamp
	$(python) -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

bench: .venv/test.stamp
	$(python) -m benchmarks

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .hypothesis
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
