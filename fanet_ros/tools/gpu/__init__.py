# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make gpu`: proves the CUDA code and measures it, in a few minutes on a machine that has little more than PyTorch.

`run` starts every step in a process of its own (`step`); a step writes each figure as it comes (`figures`).
"""
