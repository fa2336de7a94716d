"""The Fast DDS profile that gives images room in shared memory, for who has chosen none. Needs no ROS."""
from __future__ import annotations

from typing import MutableMapping

from fanet_ros.package_share import share_directory

# Kilted and later read the second. Whoever has set one of them has chosen.
DDS_PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def choose_dds_profile(environment: MutableMapping[str, str]) -> str:
    """Set the profile in `environment` unless one is set; returns its path, '' if nothing was done."""
    profile = share_directory() / 'config' / 'fastdds.xml'
    if not profile.is_file() or any(environment.get(name) for name in DDS_PROFILE_VARIABLES):
        return ''
    environment.update({name: str(profile) for name in DDS_PROFILE_VARIABLES})
    return str(profile)
