# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Header stamps in nanoseconds."""
from __future__ import annotations

from typing import Any


def stamp_ns(header: Any) -> int:
    """A header's stamp in ns since the epoch; 0: not set.

    Computed by hand, because rclpy's Time rejects stamps that occur in practice.

    :param header: std_msgs/Header of rclpy or rosbags
    """
    return header.stamp.sec * 10**9 + header.stamp.nanosec
