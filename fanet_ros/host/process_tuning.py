# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a process that passes images on needs before ROS starts, so that plain `ros2 run` is as fast as a launch file.

Set FANET_ROS_TUNING=0 to go without.
"""
from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

from fanet_ros.host.dds_profile import choose_dds_profile

OPT_OUT = 'FANET_ROS_TUNING'
ALLOCATOR_VARIABLES = ('MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'MALLOC_TOP_PAD_', 'GLIBC_TUNABLES')
# Numbers of mallopt(3), and bytes: arrays of images are kept for the next image. By default glibc gives each back to the
# system and gets it again page by page, which takes longer than copying the image. One arena for all threads: only of the
# main one can what was kept be given back, when a model goes.
MALLOC_OPTIONS = ((-3, 32 * 2**20), (-1, 256 * 2**20), (-2, 64 * 2**20),     # mmap threshold, trim threshold, top pad
                  (-8, 1))                                                   # arena max


@dataclass(frozen=True)
class Tuning:
    """What tune_process() did: whether the allocator was set, and the DDS profile that it chose ('' for none)."""

    allocator: bool
    dds_profile: str


def tune_process() -> Tuning:
    """Let glibc keep large buffers and give Fast DDS room for images, unless the user has chosen.

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
