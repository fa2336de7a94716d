# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile that gives images room on their way, for who has chosen none. Needs no ROS."""
from __future__ import annotations

import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Mapping, MutableMapping

from fanet_ros.package_share import share_directory

# Up to Jazzy only the first is read; Kilted and later read the second, and warn in every process where the first is set.
# Whoever has set one of them has chosen.
DDS_PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
OLDER_DISTRIBUTIONS = ('humble', 'iron', 'jazzy')
FIRST_NEWER_RMW = 9         # major version of rmw_fastrtps in Kilted
# Below it images of 1920x1080 got lost, below 2 MiB those of 1280x720.
MIN_RECEIVE_BUFFER_BYTES = 4 * 2**20


def choose_dds_profile(environment: MutableMapping[str, str]) -> str:
    """Set the profile in `environment` unless one is set; returns its path, '' if nothing was done."""
    name = 'fastdds_receiver.xml' if receive_buffer_bytes() >= MIN_RECEIVE_BUFFER_BYTES else 'fastdds.xml'
    profile = share_directory() / 'config' / name
    if not profile.is_file() or any(environment.get(name) for name in DDS_PROFILE_VARIABLES):
        return ''
    environment[dds_profile_variable(environment)] = str(profile)
    return str(profile)


def dds_profile_variable(environment: Mapping[str, str]) -> str:
    """Which of DDS_PROFILE_VARIABLES this ROS reads without complaint: by the sourced distribution, else by the installed wheel."""
    older, newer = DDS_PROFILE_VARIABLES
    if distribution := environment.get('ROS_DISTRO'):
        return older if distribution in OLDER_DISTRIBUTIONS else newer
    try:
        return older if int(version('ros-rmw-fastrtps-cpp').split('.')[0]) < FIRST_NEWER_RMW else newer
    except PackageNotFoundError:        # no wheels, and nothing sourced: nobody reads it yet
        return newer


def receive_buffer_bytes() -> int:
    """How large a UDP socket's receive buffer may be made here, up to MIN_RECEIVE_BUFFER_BYTES (net.core.rmem_max)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIN_RECEIVE_BUFFER_BYTES)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2       # Linux tells twice as much, see socket(7)
