# Everything from nothing: each target makes what it needs. Only Python 3.11 or later, make and the package
# registries are needed.

PYTHON ?= python3
CONTAINERS ?= $(firstword $(shell command -v docker podman))
VENV := .venv
# Each of the hundreds of processes that the tests start would compile all that it imports, for about a second.
unexport PYTHONDONTWRITEBYTECODE
# Of the tests: each waits for its processes at times; with one more than two cores, these are never idle.
PROCESSES ?= 3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# uv is many times faster; where it reaches no registry, pip, which may be told of another one, does the same.
install = $(BIN)/uv pip install --quiet --python $(1) --require-hashes -r $(2) || \
	$(PIP) --python $(1) install --require-hashes -r $(2)

.PHONY: help demo test check lint types contracts format schemas reference image sbom pictures accuracy speed model
.PHONY: dashboards observe requirements clean

help:
	@echo "make demo               show the main job: drawn product pictures in, a mail out"
	@echo "make demo PHOTOS=DIR    the same with all photos of a folder"
	@echo "make test               run all tests, on a real Kafka"
	@echo "make check              lint, types and import contracts"
	@echo "make format             format the code"
	@echo "make reference          write docs/settings.md and the topics and users of deploy/k8s"
	@echo "make dashboards         write deploy/grafana and deploy/prometheus from what is declared to be watched"
	@echo "make observe            run everything under load, watched by Prometheus; break it part by part; draw previews"
	@echo "make image              build the container image, with docker or podman"
	@echo "make sbom               list what the image is made of, as CycloneDX"
	@echo "make schemas            write the published JSON Schemas"
	@echo "make pictures           draw the pictures of docs/ anew (needs chromium)"
	@echo "make model              train the color model anew (docs/color.md)"
	@echo "make accuracy DATA=DIR  measure how often the colors are right, beside open tools, on labeled photos"
	@echo "make speed DATA=DIR     measure what an answer costs, beside open tools"
	@echo "make requirements       resolve and hash the dependencies anew"

demo: $(VENV)/local-installed
	@$(BIN)/huestream demo $(if $(PHOTOS),--photos "$(PHOTOS)") $(if $(DATA),--data "$(DATA)")

test: $(VENV)/dev-installed $(VENV)/s3-installed
	$(BIN)/python -m pytest --numprocesses=$(PROCESSES)

check: lint types contracts

lint: $(VENV)/dev-installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev-installed
	$(BIN)/mypy

contracts: $(VENV)/dev-installed
	$(BIN)/lint-imports

format: $(VENV)/dev-installed
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

schemas: $(VENV)/local-installed
	$(BIN)/huestream schemas

reference: $(VENV)/local-installed
	$(BIN)/huestream settings > docs/settings.md
	$(BIN)/python deploy/strimzi.py

dashboards: $(VENV)/dev-installed
	$(BIN)/python -m deploy.watching

observe: $(VENV)/dev-installed
	$(BIN)/python -m deploy.observing --pictures docs/pictures $(if $(DATA),--data "$(DATA)")

image:
	$(CONTAINERS) build $(if $(filter podman,$(notdir $(CONTAINERS))),--format docker) -t huestream .

sbom:
	@$(CONTAINERS) run --rm huestream sbom

pictures: $(VENV)/dev-installed
	$(BIN)/python -m docs.pictures $(if $(PHOTOS),--photos "$(PHOTOS)")

model: $(VENV)/training-installed
	$(BIN)/python -m training --data "$(or $(DATA),../shared/color-dev)"

accuracy: $(VENV)/benchmarks-installed
	$(BIN)/python benchmarks/color_accuracy.py $(if $(DATA),--data "$(DATA)")

speed: $(VENV)/benchmarks-installed
	$(BIN)/python benchmarks/color_speed.py $(if $(DATA),--data "$(DATA)")

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "huestream needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)

$(BIN)/uv: $(BIN)/python requirements/build.txt
	@$(PIP) install --require-hashes -r requirements/build.txt
	@touch $@

$(VENV)/local-installed: $(BIN)/uv requirements/local.txt pyproject.toml
	@echo "installing huestream into $(VENV), once"
	@$(call install,$(BIN)/python,requirements/local.txt)
	@$(PIP) install --no-build-isolation --no-deps --no-index -e .
	@touch $@

$(VENV)/dev-installed: $(VENV)/local-installed requirements/dev.txt
	@echo "installing the development tools into $(VENV), once"
	@$(call install,$(BIN)/python,requirements/dev.txt)
	@touch $@

$(VENV)/s3-installed: $(BIN)/uv requirements/s3.txt
	@echo "installing a store that speaks S3 into $(VENV)/s3, once"
	@$(PYTHON) -m venv --without-pip $(VENV)/s3
	@$(call install,$(VENV)/s3/bin/python,requirements/s3.txt)
	@touch $@

$(VENV)/benchmarks-installed: $(VENV)/dev-installed requirements/benchmarks.txt
	@echo "installing the tools to compare with into $(VENV), once"
	@$(call install,$(BIN)/python,requirements/benchmarks.txt)
	@touch $@

$(VENV)/training-installed: $(VENV)/dev-installed requirements/training.txt
	@echo "installing what trains the color model into $(VENV), once"
	@$(call install,$(BIN)/python,requirements/training.txt)
	@touch $@

UV_COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q

requirements: $(BIN)/uv
	$(UV_COMPILE) -o requirements/runtime.txt
	$(UV_COMPILE) --extra rocksdb -c requirements/runtime.txt -o requirements/rocksdb.txt
	$(UV_COMPILE) --extra otel -c requirements/runtime.txt -o requirements/otel.txt
	$(UV_COMPILE) --extra refine -c requirements/runtime.txt -o requirements/refine.txt
	$(UV_COMPILE) --extra local --group build -c requirements/runtime.txt -o requirements/local.txt
	$(UV_COMPILE) --extra local --extra otel --extra rocksdb --group build --group dev -c requirements/local.txt -o requirements/dev.txt
	$(UV_COMPILE) --extra local --extra otel --extra rocksdb --group build --group dev --group benchmarks -c requirements/dev.txt -o requirements/benchmarks.txt
	$(UV_COMPILE) --extra local --extra otel --extra rocksdb --group build --group dev --group training -c requirements/dev.txt -o requirements/training.txt
	$(subst pyproject.toml,--group image,$(UV_COMPILE)) -o requirements/build.txt
	$(subst pyproject.toml,--group s3,$(UV_COMPILE)) -o requirements/s3.txt

clean:
	rm -rf $(VENV) build *.egg-info
