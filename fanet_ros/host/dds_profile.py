# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile that gives images room on their way, for who has chosen none. Needs no ROS."""
from __future__ import annotations

import socket
from typing import MutableMapping

from fanet_ros.package_share import share_directory

# Kilted and later read the second. Whoever has set one of them has chosen.
DDS_PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
# Below it images of 1920x1080 got lost, below 2 MiB those of 1280x720.
MIN_RECEIVE_BUFFER_BYTES = 4 * 2**20


def choose_dds_profile(environment: MutableMapping[str, str]) -> str:
    """Set the profile in `environment` unless one is set; returns its path, '' if nothing was done."""
    name = 'fastdds_receiver.xml' if receive_buffer_bytes() >= MIN_RECEIVE_BUFFER_BYTES else 'fastdds.xml'
    profile = share_directory() / 'config' / name
    if not profile.is_file() or any(environment.get(name) for name in DDS_PROFILE_VARIABLES):
        return ''
    environment.update({name: str(profile) for name in DDS_PROFILE_VARIABLES})
    return str(profile)


def receive_buffer_bytes() -> int:
    """How large a UDP socket's receive buffer may be made here, up to MIN_RECEIVE_BUFFER_BYTES (net.core.rmem_max)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIN_RECEIVE_BUFFER_BYTES)
        return probe.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2       # Linux tells twice as much, see socket(7)
