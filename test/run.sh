#!/usr/bin/env bash
# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
# Runs the tests: the unit tests in parallel on all cores, then those that use DDS, two files at a time, each in its own domain.
# Arguments go to pytest; without any, all tests run. -m 'not slow' leaves out the slow ones.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# With all threads in each of several processes, they would wait for one another.
OMP_NUM_THREADS=1 python -m pytest test/unit -n auto --dist loadfile "$@"
alone=$?
python -m pytest test/ros test/system -n 2 --dist loadfile "$@"
together=$?
for code in "$alone" "$together"; do
    [ "$code" = 0 ] || [ "$code" = 5 ] || exit "$code"      # 5: no test was selected
done
