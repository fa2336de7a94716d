# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make gpu`: tests and benchmarks the CUDA code, in a few minutes on a machine that has little more than PyTorch.

`run` starts every step in its own process (`step`); a step writes each figure as soon as it is measured (`figures`).
"""
