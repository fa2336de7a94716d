# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Chooses a Fast DDS profile with room for images, unless the user has set one. Needs no ROS."""
from __future__ import annotations

import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Mapping, MutableMapping

from fanet_ros.package_share import share_directory

# Up to Jazzy only the first is read; Kilted and later read the second, and warn in every process if the first is set.
# If the user has set either, nothing is changed.
DDS_PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
OLDER_DISTRIBUTIONS = ('humble', 'iron', 'jazzy')
FIRST_NEWER_RMW = 9         # major version of rmw_fastrtps in Kilted
# With less, 1920x1080 images were lost; with less than 2 MiB, 1280x720 images too.
MIN_RECEIVE_BUFFER_BYTES = 4 * 2**20


def choose_dds_profile(environment: MutableMapping[str, str]) -> str:
    """Set the profile in `environment` unless the user has set one; returns its path, '' if nothing was set."""
    name = 'fastdds_receiver.xml' if receive_buffer_bytes() >= MIN_RECEIVE_BUFFER_BYTES else 'fastdds.xml'
    profile = share_directory() / 'config' / name
    if not profile.is_file() or any(environment.get(name) for name in DDS_PROFILE_VARIABLES):
        return ''
    environment[dds_profile_variable(environment)] = str(profile)
    return str(profile)


def dds_profile_variable(environment: Mapping[str, str]) -> str:
    """The one of DDS_PROFILE_VARIABLES that this ROS reads without a warning: by sourced distribution, else by installed wheel."""
    older, newer = DDS_PROFILE_VARIABLES
    if distribution := environment.get('ROS_DISTRO'):
        return older if distribution in OLDER_DISTRIBUTIONS else newer
    try:
        return older if int(version('ros-rmw-fastrtps-cpp').split('.')[0]) < FIRST_NEWER_RMW else newer
    except PackageNotFoundError:        # no wheels and no ROS sourced: nothing reads it yet
        return newer


def receive_buffer_bytes() -> int:
    """Largest UDP receive buffer that this machine allows (net.core.rmem_max), up to MIN_RECEIVE_BUFFER_BYTES."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIN_RECEIVE_BUFFER_BYTES)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2       # Linux reports twice the size, see socket(7)
