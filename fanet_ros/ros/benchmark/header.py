# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the files of figures of nodes begin with."""
from __future__ import annotations

from typing import Any, Optional, Sequence

from fanet_ros.host.machine import describe_measurement


def measured_here(program: str, argv: Optional[Sequence[str]]) -> dict[str, Any]:
    """Command, date and machine of figures measured with nodes on this machine's own device."""
    from fanet_ros.inference.device import choose_device  # late: they load torch
    from fanet_ros.inference.engines import runtimes
    return describe_measurement(program, argv, choose_device('auto'), runtimes())
