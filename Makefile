# Every way of working on the package, from a fresh clone. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The shell in which everything runs: the same two lines that a user types.
ENTER := source .venv/bin/activate && source install/local_setup.bash

# Files whose coming and going changes the installation. Their content does not: the installation is made of links.
PACKAGE_FILES = $(shell find fanet_ros config launch weights -type f -not -name '*.pyc' 2> /dev/null | LC_ALL=C sort)

.PHONY: help build lint test test-all demo live gpu gpu-train clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

build: install/.built ## make .venv/ and install/ (a sourced ROS is used, else ROS wheels; PYTHON=python3.12 chooses another Python)

lint: .venv/.lint ## hold every Python file to ruff.toml, and the package to mypy
	@.venv/bin/python -m ruff check --quiet && .venv/bin/python -m mypy

test: build ## build, then run the unit, ros and system tests but the slow ones (PYTEST='-k mask' passes arguments on)
	@$(ENTER) && bash test/run.sh -m 'not slow' $(PYTEST)

test-all: build ## all of them: also fuzzing, trainings, GPU rehearsals and whole runs, which take long by nature
	@$(ENTER) && bash test/run.sh $(PYTEST)

demo: build ## build, then camera, node and bag on real DDS into demo_output/ (SOURCE=street SECONDS=20 RATE=10, all optional)
	@$(ENTER) && python -m fanet_ros demo $(if $(SOURCE),--source '$(SOURCE)') \
	    $(if $(SECONDS),--seconds '$(SECONDS)') $(if $(RATE),--rate '$(RATE)')

live: build ## build, then street, node and dashboard until Ctrl-C: http://localhost:8765 (SOURCE=street RATE=10 PORT=8765)
	@$(ENTER) && python -m fanet_ros live $(if $(SOURCE),--source '$(SOURCE)') $(if $(RATE),--rate '$(RATE)') \
	    $(if $(PORT),--port '$(PORT)')

gpu: ## prove and measure the CUDA code, without ROS or a build (OUT=DIR AUTHORS=CHECKOUT PYTHON=python3; DEVICE=cpu rehearses)
	@$(or $(PYTHON),python3) -m fanet_ros gpu $(if $(OUT),--output '$(OUT)') $(if $(DEVICE),--device '$(DEVICE)') \
	    $(if $(AUTHORS),--authors '$(AUTHORS)') $(if $(STEPS),--steps $(STEPS))

gpu-train: ## train on a borrowed GPU, likewise (RECIPE=fanet18_camvid MINUTES=8 DATA=DIR OUT=DIR; DEVICE=cpu rehearses)
	@$(or $(PYTHON),python3) -m fanet_ros gpu_train $(or $(RECIPE),fanet18_camvid) $(if $(MINUTES),--minutes '$(MINUTES)') \
	    $(if $(DATA),--data '$(DATA)') $(if $(OUT),--output '$(OUT)') $(if $(DEVICE),--device '$(DEVICE)')

clean: ## remove all that build, test, demo and gpu made
	rm -rf .venv .venv.lock build install log demo_output gpu_output gpu_training .pytest_cache
	find fanet_ros test launch -name __pycache__ -type d -prune -exec rm -rf {} +

# create.sh itself decides whether the environment still fits: it leaves the file's time alone if so.
.venv/.complete: FORCE
	@bash environment/create.sh

# Whoever only builds and runs the package does without these.
.venv/.lint: .venv/.complete environment/lint.txt
	@.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet -r environment/lint.txt
	@touch $@

build/package_files: FORCE
	@mkdir -p build
	@printf '%s\n' $(PACKAGE_FILES) | cmp -s - $@ || printf '%s\n' $(PACKAGE_FILES) > $@

install/.built: .venv/.complete build/package_files CMakeLists.txt package.xml fanet_ros/commands.py $(wildcard cmake/* msg/*)
	@source .venv/bin/activate && flock build colcon --log-level error build --symlink-install --paths . \
	    --cmake-args "-DCMAKE_PREFIX_PATH=$$VIRTUAL_ENV" "-DPython3_EXECUTABLE=$$VIRTUAL_ENV/bin/python"
	@touch $@

FORCE:
