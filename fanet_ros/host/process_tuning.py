# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Set-up of an image-processing executable before ROS starts, so that plain `ros2 run` is as fast as a launch file.

FANET_ROS_TUNING=0 turns it off.
"""
from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

from fanet_ros.host.dds_profile import choose_dds_profile

OPT_OUT = 'FANET_ROS_TUNING'
ALLOCATOR_VARIABLES = ('MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_', 'GLIBC_TUNABLES')
# Option numbers of mallopt(3), and bytes: image buffers are kept for the next image. By default glibc returns each one to
# the system and gets it back page by page, which takes longer than copying the image. One arena for all threads: only the
# main arena can return kept memory, when a model is released.
MALLOC_OPTIONS = ((-3, 32 * 2**20), (-1, 256 * 2**20), (-2, 64 * 2**20),     # mmap threshold, trim threshold, top pad
                  (-8, 1))                                                   # arena max


@dataclass(frozen=True)
class Tuning:
    """Result of tune_process(): whether the allocator was set, and the DDS profile chosen ('' for none)."""

    allocator: bool
    dds_profile: str


def tune_process() -> Tuning:
    """Let glibc keep large buffers and give Fast DDS room for images, unless the user has set them.

    Call it before rclpy.init() and before anything large is allocated.
    """
    if os.environ.get(OPT_OUT) == '0':
        return Tuning(False, '')
    return Tuning(_tune_allocator(), choose_dds_profile(os.environ))


def _tune_allocator() -> bool:
    if any(os.environ.get(name) for name in ALLOCATOR_VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):       # no glibc
        return False
    return all(mallopt(option, value) == 1 for option, value in MALLOC_OPTIONS)
