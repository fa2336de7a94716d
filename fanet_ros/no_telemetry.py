# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the libraries that run the network from reporting to their makers: a robot's computer tells nobody what it does.

ONNX Runtime (from 1.32) and OpenVINO send events of their own accord, and keep an identifier of the machine in the home
directory, from the moment they are imported, whether or not they are used.
"""
from __future__ import annotations

import os
import sys


def disable_telemetry() -> None:
    """Call it before either library is imported. Who has set ORT_DISABLE_TELEMETRY has decided for ONNX Runtime."""
    os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
    # OpenVINO asks no variable; where this package cannot be imported, it uses its own stub that does nothing.
    sys.modules.setdefault('openvino_telemetry', None)      # type: ignore[arg-type]
