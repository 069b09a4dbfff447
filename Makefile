# `make` sets everything up in .venv; `make demo` and `make test` do so first where it is not done yet.
# Settings: VIDEO (a clip for the demo), N (cases of `make fuzz`), PYTHON, TORCH (a pip requirement), CUDA_ARCH (e.g. 9.0; else the GPU's own), MAX_JOBS, PYTEST_ARGS.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:

N ?= 2000
TORCH ?= torch==2.13.0
MMCV := 2.3.6
OPENMMLAB := onedl-mmengine==0.10.12 onedl-mmcv==$(MMCV) onedl-mmdetection==3.5.1
BUILD_TOOLS := 'setuptools>=80' wheel packaging ninja psutil 'numpy>=2.2.6,<2.4'
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vis_pipeline/wheels

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input -q
DONE := $(VENV)/.done
LOG := $(VENV)/setup.log
TORCH_DONE := $(DONE)/torch-$(firstword $(shell echo '$(TORCH)' | cksum))

# logged COMMAND...: run it with its output in the log, and show the end of the log if it fails.
define LOGGED
logged() { "$$@" >>$(LOG) 2>&1 || { tail -n 25 $(LOG) >&2; echo "set-up failed; all output is in $(LOG)" >&2; exit 1; }; }
endef

.PHONY: setup demo test fuzz lint docs clean

setup: $(DONE)/packages
	@$(VENV)/bin/vis-pipeline doctor

demo: setup
	@rm -rf demo
	$(VENV)/bin/vis-pipeline demo --out demo $(if $(VIDEO),--video '$(VIDEO)')

test: setup
	@export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
	$(PY) -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

# N random cases of each kind of damaged file; `make test` tries 2,000 in all.
fuzz: setup
	@export FUZZ_CASES=$(N) OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE
	$(PY) -m pytest -q tests/fuzz tests/evaluation/test_fuzz_bad_files.py $(PYTEST_ARGS)

lint: $(DONE)/packages
	@$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# The API reference of the public packages, from their docstrings, in site/.
docs: setup
	@$(PIP) install -e '.[docs]'
	$(PY) docs/write_reference.py site

# Leaves the compiled mmcv wheels in $(CACHE).
clean:
	@rm -rf $(VENV) build dist demo site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@fits='import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))'
	for python in $(PYTHON) python3.12 python3.11 python3.10 python3 python; do
	  if "$$python" -c "$$fits" 2>/dev/null; then
	    echo "[1/5] $(VENV): virtual environment with $$("$$python" --version)"
	    exec "$$python" -m venv $(VENV)
	  fi
	done
	echo "set-up needs Python 3.10, 3.11 or 3.12 with its venv module (on Debian: apt-get install python3-venv);" \
	  "give another one with: make PYTHON=/path/to/python" >&2
	exit 1

$(TORCH_DONE): | $(PY)
	@$(LOGGED)
	mkdir -p $(DONE)
	if [ "$(origin TORCH)" = file ] && $(PY) -c 'import torch' 2>/dev/null; then
	  echo "[2/5] torch: the one in $(VENV) is kept"
	else
	  echo "[2/5] $(TORCH): installing (about a minute; 1 GB on disk, several with CUDA)"
	  logged $(PIP) install '$(TORCH)'
	fi
	rm -f $(DONE)/torch-*
	touch $@

$(DONE)/tools: $(TORCH_DONE)
	@$(LOGGED)
	echo "[3/5] build tools"
	logged $(PIP) install $(BUILD_TOOLS)
	touch $@

# The operators are compiled against the torch in .venv, so without build isolation: in an isolated build mmcv finds
# no torch and quietly leaves them out. pip's own cache is off because its key knows nothing of torch or CUDA.
$(DONE)/mmcv-$(MMCV): $(DONE)/tools
	@$(LOGGED)
	torch_cuda=$$($(PY) -c 'import torch; print((torch.version.cuda or "").split(".")[0])')
	arch="$(CUDA_ARCH)"
	if [ -z "$$arch" ] && [ -n "$$torch_cuda" ]; then
	  arch=$$($(PY) -c 'import torch; c = torch.cuda; print("%d.%d" % c.get_device_capability() if c.is_available() else "")')
	fi
	nvcc="$${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"
	[ -x "$$nvcc" ] || nvcc=$$(command -v nvcc || true)
	nvcc_cuda=
	[ -z "$$nvcc" ] || nvcc_cuda=$$("$$nvcc" --version | sed -n 's/.*release \([0-9]*\)\..*/\1/p')
	if [ -n "$$arch" ] && [ "$$nvcc_cuda" != "$$torch_cuda" ]; then
	  echo "warning: a GPU but no nvcc of CUDA $$torch_cuda, which torch is built for (found: $${nvcc_cuda:-none})." \
	    "mmcv's operators are built for the CPU; install that CUDA toolkit and run: make clean setup" >&2
	  arch=
	fi
	if [ -n "$$arch" ]; then
	  operators="cuda$$torch_cuda-sm$$arch"; minutes="4 minutes on 16 cores"
	  export FORCE_CUDA=1 TORCH_CUDA_ARCH_LIST="$$arch" CUDA_HOME="$$(dirname "$$(dirname "$$nvcc")")"
	else
	  operators=cpu; minutes="3 to 4 minutes on 2 cores"
	  export CUDA_VISIBLE_DEVICES=
	fi
	key=$$($(PY) -c 'import sys, torch; print("cp%d%d-torch%s" % (*sys.version_info[:2], torch.__version__))')-$$operators
	cache="$(CACHE)/$$key"
	wheel=$$(compgen -G "$$cache/onedl_mmcv-$(MMCV)-*.whl" || true)
	if [ -n "$$wheel" ]; then
	  echo "[4/5] mmcv $(MMCV) with its operators ($$operators): from $$cache"
	else
	  if ! command -v "$${CXX:-c++}" >/dev/null; then
	    echo "set-up needs a C++ compiler to build mmcv (on Debian: apt-get install g++ python3-dev)" >&2; exit 1
	  fi
	  if ! $(PY) -c 'import os, sysconfig; open(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null; then
	    echo "set-up needs Python's headers to build mmcv (on Debian: apt-get install python3-dev)" >&2; exit 1
	  fi
	  echo "[4/5] mmcv $(MMCV): compiling its operators ($$operators), once for this machine: about $$minutes"
	  mkdir -p "$$cache"
	  building=$$(mktemp -d "$$cache/building.XXXXXX")
	  trap 'rm -rf "$$building"' EXIT
	  begun=$$SECONDS
	  CFLAGS="-O2 -g0 -DNDEBUG" MAX_JOBS="$${MAX_JOBS:-$$(nproc)}" logged $(PIP) wheel --no-deps --no-build-isolation \
	    --no-cache-dir --no-binary onedl-mmcv -w "$$building" onedl-mmcv==$(MMCV)
	  built=$$(compgen -G "$$building/*.whl")
	  if [[ "$$($(PY) -m zipfile -l "$$built")" != *mmcv/_ext*.so* ]]; then
	    echo "set-up failed: mmcv was built without its operators; all output is in $(LOG)" >&2; exit 1
	  fi
	  wheel="$$cache/$$(basename "$$built")"
	  mv "$$built" "$$wheel"
	  echo "      compiled in $$((SECONDS - begun)) s, kept in $$cache"
	fi
	logged $(PIP) install --no-deps --force-reinstall "$$wheel"
	touch $@

$(DONE)/packages: pyproject.toml Makefile $(DONE)/mmcv-$(MMCV)
	@$(LOGGED)
	echo "[5/5] mmdetection, Ray and this project (about a minute)"
	logged $(PIP) install --only-binary onedl-mmcv -e '.[test]' $(OPENMMLAB)
	touch $@
