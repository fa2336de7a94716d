# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the executables set before ROS starts; each case runs in its own process."""
import difflib
import json
import os
import platform
import subprocess
import sys

import pytest

from fanet_ros.host import dds_profile
from fanet_ros.host.dds_profile import DDS_PROFILE_VARIABLES, MIN_RECEIVE_BUFFER_BYTES, dds_profile_variable, receive_buffer_bytes
from fanet_ros.host.process_tuning import ALLOCATOR_VARIABLES
from fanet_ros.package_share import share_directory

# Page faults of forty 8 MiB arrays, one after the other: 2048 each if every array gets fresh memory.
CHILD = '''
import json, os, resource
import numpy as np
from fanet_ros.host.dds_profile import DDS_PROFILE_VARIABLES
from fanet_ros.host.process_tuning import tune_process
tuning = tune_process()
def touch():
    np.ones(8 * 2**20, np.uint8)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    touch()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(json.dumps([tuning.allocator, tuning.dds_profile, [os.environ.get(name) for name in DDS_PROFILE_VARIABLES], faults]))
'''


def tuned(**variables: str) -> list:
    bare = {key: value for key, value in os.environ.items() if key not in (*ALLOCATOR_VARIABLES, *DDS_PROFILE_VARIABLES)}
    done = subprocess.run([sys.executable, '-c', CHILD], env={**bare, **variables}, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='the allocator is not glibc')
def test_buffers_are_kept_and_the_profile_is_chosen() -> None:
    allocator, profile, variables, faults = tuned()
    name = 'fastdds_receiver.xml' if receive_buffer_bytes() >= MIN_RECEIVE_BUFFER_BYTES else 'fastdds.xml'
    assert allocator and profile.endswith(f'config/{name}')
    assert dict(zip(DDS_PROFILE_VARIABLES, variables))[dds_profile_variable(os.environ)] == profile and None in variables
    assert faults < 40 * 2048 / 10


@pytest.mark.parametrize('mine', DDS_PROFILE_VARIABLES)
def test_the_users_choice_stays(mine: str) -> None:
    allocator, profile, variables, _ = tuned(**{'MALLOC_TRIM_THRESHOLD_': '131072', mine: '/mine.xml'})
    assert not allocator and not profile
    assert variables == ['/mine.xml' if name == mine else None for name in DDS_PROFILE_VARIABLES]


@pytest.mark.parametrize(('distribution', 'read'), [
    ('humble', 'FASTRTPS_DEFAULT_PROFILES_FILE'), ('jazzy', 'FASTRTPS_DEFAULT_PROFILES_FILE'),
    ('kilted', 'FASTDDS_DEFAULT_PROFILES_FILE'), ('rolling', 'FASTDDS_DEFAULT_PROFILES_FILE')])
def test_only_the_variable_that_the_sourced_distribution_reads_is_set(distribution: str, read: str) -> None:
    environment = {'ROS_DISTRO': distribution}
    profile = dds_profile.choose_dds_profile(environment)
    assert environment == {'ROS_DISTRO': distribution, read: profile}


def test_tuning_can_be_turned_off() -> None:
    allocator, profile, variables, faults = tuned(FANET_ROS_TUNING='0')
    assert not allocator and not profile and variables == [None, None] and faults > 0


@pytest.mark.parametrize(('allowed', 'name'), [(2**30, 'fastdds_receiver.xml'), (212992, 'fastdds.xml')])
def test_images_come_over_udp_only_if_its_buffers_hold_them(monkeypatch: pytest.MonkeyPatch, allowed: int, name: str) -> None:
    monkeypatch.setattr(dds_profile, 'receive_buffer_bytes', lambda: allowed)
    environment: dict[str, str] = {}
    assert dds_profile.choose_dds_profile(environment).endswith(f'/{name}')
    assert set(environment) == {dds_profile_variable({})}


def test_the_profiles_differ_only_in_how_images_are_received() -> None:
    sender, receiver = ((share_directory() / 'config' / name).read_text().split('<dds ')[1]
                        for name in ('fastdds.xml', 'fastdds_receiver.xml'))
    added = [line.strip() for line in difflib.ndiff(sender.splitlines(), receiver.splitlines()) if line[0] in '+-']
    assert [line for line in added if '<!--' not in line and 'profile_name' not in line] == [
        '+         <receiveBufferSize>33554432</receiveBufferSize>', '+         <defaultUnicastLocatorList>',
        '+           <locator><udpv4></udpv4></locator>', '+         </defaultUnicastLocatorList>']
