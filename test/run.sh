#!/usr/bin/env bash
# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
# The tests: what is by itself on every core, then one after the other what talks over DDS. Arguments go to pytest, which
# runs all without any; -m 'not slow' leaves out what takes long by nature.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Each of several processes with all threads would have them wait for each other.
OMP_NUM_THREADS=1 python -m pytest test/unit -n auto --dist loadfile "$@"
alone=$?
python -m pytest test/ros test/system "$@"
together=$?
for code in "$alone" "$together"; do
    [ "$code" = 0 ] || [ "$code" = 5 ] || exit "$code"      # 5: none of these was chosen
done
