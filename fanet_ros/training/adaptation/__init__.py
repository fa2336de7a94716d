# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapts a trained network to the frames of a drive: BatchNorm statistics, and fine-tuning on a few labelled ones."""
