# Development tasks, from a fresh clone. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The environment in which everything runs: the same two commands that a user types.
ENTER := source .venv/bin/activate && source install/local_setup.bash

# Adding or removing one of these files requires a reinstall. Editing one does not: the installation consists of links.
PACKAGE_FILES = $(shell find fanet_ros config launch weights -type f -not -name '*.pyc' 2> /dev/null | LC_ALL=C sort)

.PHONY: help build lint test test-all demo live gpu gpu-train clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

build: install/.built ## create .venv/ and install/ (with a sourced ROS, else ROS wheels; PYTHON=python3.12 selects another Python)

lint: .venv/.lint ## check every Python file with ruff, and the package with mypy
	@.venv/bin/python -m ruff check --quiet && .venv/bin/python -m mypy

test: build ## build, then run the unit, ros and system tests except the slow ones (PYTEST='-k mask' passes arguments to pytest)
	@$(ENTER) && bash test/run.sh -m 'not slow' $(PYTEST)

test-all: build ## all tests, including the slow ones: fuzzing, training, GPU dry runs and full runs
	@$(ENTER) && bash test/run.sh $(PYTEST)

demo: build ## build, then run camera, node and recorder over DDS into demo_output/ (all optional: SOURCE=street SECONDS=20 RATE=10)
	@$(ENTER) && python -m fanet_ros demo $(if $(SOURCE),--source '$(SOURCE)') \
	    $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(RATE),--rate '$(RATE)')

live: build ## build, then run camera, node and dashboard until Ctrl-C: http://localhost:8765 (SOURCE=street RATE=10 PORT=8765)
	@$(ENTER) && python -m fanet_ros live $(if $(SOURCE),--source '$(SOURCE)') $(if $(RATE),--rate '$(RATE)') \
	    $(if $(PORT),--port '$(PORT)')

gpu: ## test and measure the CUDA code, without ROS or a build (OUT=DIR AUTHORS=CHECKOUT PYTHON=python3; DEVICE=cpu: dry run)
	@$(or $(PYTHON),python3) -m fanet_ros gpu $(if $(OUT),--output '$(OUT)') $(if $(DEVICE),--device '$(DEVICE)') \
	    $(if $(AUTHORS),--authors '$(AUTHORS)') $(if $(STEPS),--steps $(STEPS))

gpu-train: ## train on a GPU machine, without ROS or a build (RECIPE=fanet18_camvid MINUTES=8 DATA=DIR OUT=DIR; DEVICE=cpu: dry run)
	@$(or $(PYTHON),python3) -m fanet_ros gpu_train $(or $(RECIPE),fanet18_camvid) $(if $(MINUTES),--minutes '$(MINUTES)') \
	    $(if $(DATA),--data '$(DATA)') $(if $(OUT),--output '$(OUT)') $(if $(DEVICE),--device '$(DEVICE)')

clean: ## remove everything that build, test, demo and gpu created
	rm -rf .venv .venv.lock build install log demo_output gpu_output gpu_training .pytest_cache
	find fanet_ros test launch -name __pycache__ -type d -prune -exec rm -rf {} +

# create.sh decides whether the environment is up to date; if so, it does not touch the file.
.venv/.complete: FORCE
	@bash environment/create.sh

# Not needed to build and run the package.
.venv/.lint: .venv/.complete environment/lint.txt
	@.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet -r environment/lint.txt
	@touch $@

build/package_files: FORCE
	@mkdir -p build
	@printf '%s\n' $(PACKAGE_FILES) | cmp -s - $@ || printf '%s\n' $(PACKAGE_FILES) > $@

install/.built: .venv/.complete build/package_files CMakeLists.txt package.xml fanet_ros/commands.py $(wildcard cmake/* msg/*)
	@source .venv/bin/activate && flock build colcon --log-level error build --symlink-install --paths . \
	    --cmake-args "-DCMAKE_PREFIX_PATH=$$VIRTUAL_ENV" "-DPython3_EXECUTABLE=$$VIRTUAL_ENV/bin/python"
	@find install -xtype l -delete		# links to files that are gone, which Python would still list as modules
	@touch $@

FORCE:
