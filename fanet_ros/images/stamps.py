# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When an image was taken, as its header says."""
from __future__ import annotations

from typing import Any


def stamp_ns(header: Any) -> int:
    """A header's stamp in ns since the epoch; 0: none was given.

    :param header: std_msgs/Header as rclpy or rosbags makes it; by hand, since rclpy's Time refuses stamps that occur
    """
    return header.stamp.sec * 10**9 + header.stamp.nanosec
