# `make help` lists the verbs. Everything they need they install themselves, below .venv, .local and the user's cache.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON := .venv/bin/python
# One test process more than there are cores: tests on the real engine mostly wait.
TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: help azurite up preview down env test check check-types check-rest figures bench conformance docs engine builders clean lock venv machine picture

help: ## list the verbs
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: venv ## deploy the stack `local` on the local Azure and ask the agent a question
	@$(PYTHON) -m tools.local up

preview: venv ## show what `make up` would change
	@$(PYTHON) -m tools.local preview

down: venv ## destroy the stack `local` and stop the local Azure
	@$(PYTHON) -m tools.local down

env: venv ## print the variables with which plain `pulumi` works on the stack `local`
	@$(PYTHON) -m tools.local env

test: venv engine builders azurite machine ## checks and tests of a change, but the long stories of `make figures`
	@$(MAKE) --no-print-directory check
	@$(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "not long and not acceptance and not bench"

check: venv ## lint, types, layers: no tests
	@$(MAKE) --no-print-directory -j2 check-types check-rest

check-types:
	@.venv/bin/mypy

check-rest:
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/lint-imports --no-logo
	@.venv/bin/pyright

figures: venv engine builders ## figures with their targets; fails when one falls short
	@$(PYTHON) -m tools.figures

bench: venv engine ## ours beside the plain thing a user would do instead, as ratios
	@$(PYTHON) -m tools.figures --bench

conformance: venv ## the local Azure against what the real service answered
	@$(PYTHON) -m tests.conformance

docs: venv ## write docs/reference from the code
	@$(PYTHON) -m tools.docs

picture: venv machine ## take the picture of the local Azure's page in the docs
	@$(PYTHON) -m tools.docs.picture

engine: ## get the Pulumi engine
	@python3 tools/engine ensure >/dev/null

azurite: venv
	@$(PYTHON) -m tools.azurite >/dev/null

machine: ## get what tests start for real: a container engine and a browser
	-@tools/debian docker.io busybox-static curl chromium fonts-dejavu-core

builders: ## get what the tests build images with: Pulumi's docker-build plugin, BuildKit and runc
	-@python3 tools/engine ensure --plugin docker-build --plugin buildkitd >/dev/null
	-@tools/debian runc iptables

lock: ## bring requirements.lock up to date with pyproject.toml
	@tools/uv pip compile --quiet pyproject.toml --universal --all-extras --generate-hashes --no-header --output-file requirements.lock

clean: ## remove .venv and .local (state and data of the stack `local`)
	@if [ -f .local/azure/emulator.json ] && [ -x .venv/bin/foundry-emulator ]; then \
	    .venv/bin/foundry-emulator stop --data-dir .local/azure; fi
	rm -rf .venv .local

venv:
	@tools/venv
