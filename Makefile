# `make help` lists the verbs. They install what they need themselves: below .venv, .local and the user's cache.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := .venv/bin/python
# One test process more than there are cores: tests on the real engine mostly wait.
TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
COMPILE := tools/uv pip compile --quiet pyproject.toml --universal --generate-hashes --no-header

.PHONY: help up preview down env setup test check check-types check-rest figures bench docs lock lowest newest clean venv conformance picture

help:
	@awk -F ':.*## ' '/^##@/ { print substr($$0, 5) } /^[a-z]+:.*## / { printf "  %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ use
up: venv ## deploy the stack `local` on the local Azure and ask the agent a question
	@$(PYTHON) -m tools.local up

preview: venv ## show what `make up` would change
	@$(PYTHON) -m tools.local preview

down: venv ## destroy the stack `local` and stop the local Azure
	@$(PYTHON) -m tools.local down

env: venv ## print the variables with which plain `pulumi` works on the stack `local`
	@$(PYTHON) -m tools.local env

##@ develop
setup: venv ## install what tests run on: the Pulumi engine, image builders, Azurite, a container engine, a browser
	@python3 tools/engine ensure >/dev/null
	-@python3 tools/engine ensure --plugin docker-build --plugin buildkitd >/dev/null
	@$(PYTHON) -m tools.azurite >/dev/null
	-@tools/debian runc iptables docker.io busybox-static curl chromium fonts-dejavu-core

test: setup ## run the checks and all tests except the long ones of `make figures`
	@$(MAKE) --no-print-directory check
	@$(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not long and not acceptance and not bench"

check: venv ## lint, types, layers, words: no tests
	@$(MAKE) --no-print-directory -j2 check-types check-rest

figures: setup ## measure every figure and print it with its target; fails when one falls short
	@$(PYTHON) -m tools.figures

bench: setup ## compare ours with the plain thing a user would do instead, as ratios
	@$(PYTHON) -m tools.figures --bench

lowest: setup ## run tests and one `pulumi up` with the lowest versions that pyproject.toml allows
	@$(PYTHON) -m tools.versions lowest

newest: setup ## the same with the newest versions of everything
	@$(PYTHON) -m tools.versions newest

docs: venv ## write docs/reference from the code
	@$(PYTHON) -m tools.docs

lock: ## bring requirements.lock and requirements.lowest.lock up to date with pyproject.toml
	@$(COMPILE) --all-extras --output-file requirements.lock
	@$(COMPILE) --extra test --resolution lowest-direct --python-version 3.11 --output-file requirements.lowest.lock

clean: ## remove .venv and .local (state and data of the stack `local`)
	@if [ -f .local/azure/emulator.json ] && [ -x .venv/bin/foundry-emulator ]; then \
	    .venv/bin/foundry-emulator stop --data-dir .local/azure; fi
	rm -rf .venv .local

# Parts of the verbs above, and two that are needed rarely.

venv:
	@tools/venv

check-types:
	@.venv/bin/mypy

check-rest:
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@PYTHONPATH=policies .venv/bin/lint-imports --no-logo
	@.venv/bin/pyright
	@$(PYTHON) -m tools.docs.words

# The local Azure against the recorded responses of the real service.
conformance: venv
	@$(PYTHON) -m tests.conformance

# The picture of the local Azure's page in the docs.
picture: setup
	@$(PYTHON) -m tests.emulator.picture
