# Each target does all of its own set-up: a fresh Debian machine needs python3, python3-venv, make and git.
SHELL := /bin/bash
PY := .venv/bin/python
# Python keeps what it has compiled, whatever the caller's environment says: every command here starts twice as fast.
unexport PYTHONDONTWRITEBYTECODE
# Debian packages: a browser for the tests; a referee, an office and its pictures, a fresh Debian and a Prometheus for acceptance;
# what captures packets in a network of its own for the drill; what the client is compared with.
BROWSER := chromium chromium-driver
REFEREES := tcpdump iproute2 libreoffice-calc poppler-utils mmdebstrap buildah prometheus
CAPTURE := tcpdump iproute2
RIVALS := nginx-light wrk
# What tests look at pages with for WCAG. npm's package is an archive with one file that a browser runs; nothing of Node is needed.
AXE_VERSION := 4.14.1
AXE := .axe/$(AXE_VERSION)/axe.min.js
AXE_SHA512 := 1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

# Rooms whose tests start no process and wait for nothing.
PURE := $(wildcard $(addprefix tests/,catalog diagnosis docs evidence load pages profiles records recorded scoring statistics test_*.py))
# These score a sweep again in each test: make test has them.
SCORES_AGAIN := tests/recorded/publication tests/recorded/test_rules_and_portal.py tests/recorded/test_letters.py
# Half of the tests wait for windows, so two processors carry twice as many.
WORKERS := 5

.PHONY: help install demo check test side-by-side pure acceptance drill bench site lint style types contracts format wheel lock clean browser referees capture rivals

help:
	@echo "make install     .venv with everything from the lock, and nothing else; then .venv/bin/harness"
	@echo "make demo        a short sweep over six embedded portals: scoreboard, report, scores"
	@echo "make check       before every commit: format, lint, types, contracts, the rooms that start nothing"
	@echo "make test        every check that continuous integration runs"
	@echo "make acceptance  the checks that take long"
	@echo "make drill       every fault that it has to bear, really done, and each guard switched off: docs/drill.md"
	@echo "make bench       figures side by side, for docs/benchmarks.md"
	@echo "make site        the documentation as a site in site/, for reading without a network"
	@echo "make lint        ruff, mypy, the import contract"
	@echo "make lock        resolve the dependencies anew, with hashes"

# The environment is made anew whenever the lock or the project file changes.
.venv/ready: requirements/dev.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# Installs what is missing, where we may; elsewhere the tests say what they lack.
define debian
	@if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  missing=$$(for p in $(1); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	  if [ -n "$$missing" ]; then apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; fi; \
	fi
endef

browser:
	$(call debian,$(BROWSER))

referees:
	$(call debian,$(REFEREES))

capture:
	$(call debian,$(CAPTURE))

$(AXE):
	mkdir -p $(@D)
	python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], sys.argv[2])' \
	  https://registry.npmjs.org/axe-core/-/axe-core-$(AXE_VERSION).tgz $(@D)/package.tgz
	echo "$(AXE_SHA512)  $(@D)/package.tgz" | sha512sum --check --quiet
	tar -xzf $(@D)/package.tgz -C $(@D) --strip-components=1 package/axe.min.js package/LICENSE
	touch $@

rivals: .venv-rivals/ready
	$(call debian,$(RIVALS))

.venv-rivals/ready: requirements/rivals.lock
	python3 -m venv .venv-rivals
	.venv-rivals/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/rivals.lock
	touch $@

install: .venv/ready

demo: .venv/ready
	.venv/bin/harness demo

# Without the environment's making: `check` and `test` make it before they begin several jobs at once.
style:
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types:
	.venv/bin/mypy

contracts:
	.venv/bin/lint-imports --no-cache

pure:
	$(PY) -m pytest -q -m "not browser and not slow" -n 2 $(PURE) $(addprefix --ignore ,$(SCORES_AGAIN))

side-by-side:
	$(PY) -m pytest -m "not slow and not alone" -n $(WORKERS)

lint: .venv/ready
	@$(MAKE) --no-print-directory style types contracts

check: .venv/ready
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types pure style contracts

# Where a measured time decides, a test has the machine to itself; all else shares it.
test: .venv/ready browser $(AXE)
	@$(MAKE) --no-print-directory --jobs 2 side-by-side style types contracts
	$(PY) -m pytest -m "not slow and alone" tests/e2e

acceptance: .venv/ready browser referees $(AXE)
	$(PY) -m pytest -m slow tests --timeout 3600

drill: .venv/ready browser capture
	$(PY) -m tests.drill

bench: .venv/ready rivals
	$(PY) -m benches

site: export NO_MKDOCS_2_WARNING := 1
site: .venv/ready
	.venv/bin/mkdocs build --quiet --strict
	.venv/bin/mkdocs build --quiet --strict --config-file mkdocs.vi.yml
	@echo "Open site/index.html"

wheel: .venv/ready
	$(PY) -m hatchling build -t wheel

format: .venv/ready
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock:
	python3 -m venv .venv
	$(PY) -m pip install --quiet uv
	.venv/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header --group dev pyproject.toml -o requirements/dev.lock
	.venv/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header pyproject.toml -o requirements/run.lock
	.venv/bin/uv pip compile --quiet --generate-hashes --no-annotate --no-header --group build -c requirements/dev.lock -o requirements/build.lock

clean:
	rm -rf .venv .venv-rivals .axe build dist site .mypy_cache .ruff_cache .pytest_cache
