# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Export a checkpoint as an ONNX graph."""
