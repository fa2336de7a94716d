# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Disables the telemetry of the inference libraries: a robot's computer does not report to their vendors.

ONNX Runtime (from 1.32) and OpenVINO send events by default, and store an identifier of the machine in the home directory, as
soon as they are imported, whether or not they are used.
"""
from __future__ import annotations

import os
import sys


def disable_telemetry() -> None:
    """Call it before either library is imported. An existing ORT_DISABLE_TELEMETRY decides for ONNX Runtime."""
    os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
    # OpenVINO reads no variable; if this package cannot be imported, it uses its own stub that does nothing.
    sys.modules.setdefault('openvino_telemetry', None)      # type: ignore[arg-type]
