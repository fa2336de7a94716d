# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transport checks of doctor: middleware, DDS profile, shared memory, allocator."""
from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Iterator, Mapping

from rclpy.utilities import get_rmw_implementation_identifier

from fanet_ros.host.dds_profile import DDS_PROFILE_VARIABLES, MIN_RECEIVE_BUFFER_BYTES, dds_profile_variable, receive_buffer_bytes
from fanet_ros.host.process_tuning import ALLOCATOR_VARIABLES, OPT_OUT, Tuning
from fanet_ros.host.shared_memory import SHARED_MEMORY, dead_segments
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding

MIN_SEGMENT_BYTES = 8 * 2**20       # a 1920x1080 colour image and a mask
MIN_SHARED_BYTES = 64 * 2**20
MAX_LEFT_BYTES = 64 * 2**20         # of killed processes: about two of this package
NAMED = 4                           # segments listed in the remedy
SCOPE_VARIABLES = ('ROS_DISTRO', 'ROS_DOMAIN_ID', 'ROS_LOCALHOST_ONLY', 'ROS_AUTOMATIC_DISCOVERY_RANGE')


def check_transport(tuning: Tuning, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Check that images fit into shared memory, and that their buffers are reused.

    :param tuning: result of tune_process(), which every executable of the package calls
    """
    rmw = get_rmw_implementation_identifier()
    scope = ', '.join(f'{name}={environment[name]}' for name in SCOPE_VARIABLES if environment.get(name))
    yield Finding('ros', OK, f'{rmw}{", " if scope else ""}{scope}')
    if rmw == 'rmw_fastrtps_cpp':
        yield from _check_profile(tuning, environment)
    else:
        yield Finding('dds', WARN, f'the DDS profile of this package is for Fast DDS, not {rmw}',
                      'make sure that images of your size are sent through shared memory, or expect loss and latency')
    if SHARED_MEMORY.is_dir() and (free := shutil.disk_usage(SHARED_MEMORY).free) < MIN_SHARED_BYTES:
        yield Finding('dds', WARN, f'{SHARED_MEMORY} has {free / 2**20:.0f} MiB left, the profile needs 32 per process',
                      'enlarge it (docker run --shm-size=512m)')
    yield from check_leftovers(SHARED_MEMORY)
    if tuning.allocator:
        yield Finding('allocator', OK, 'large buffers are reused for the next image')
    elif environment.get(OPT_OUT) == '0':
        yield Finding('allocator', WARN, f'{OPT_OUT}=0: glibc maps new memory for every image', f'unset {OPT_OUT}')
    else:
        chosen = ', '.join(name for name in ALLOCATOR_VARIABLES if environment.get(name)) or 'no glibc'
        yield Finding('allocator', OK, f'left as configured ({chosen})')


def check_leftovers(folder: Path, accepted_bytes: int = MAX_LEFT_BYTES) -> Iterator[Finding]:
    """Report the shared memory of killed processes, which nothing frees before the next boot; no finding if there is none.

    :param accepted_bytes: more is a warning
    """
    dead = list(dead_segments(folder))
    if not dead:
        return
    size_bytes = sum(segment.size_bytes for segment in dead)
    count = '1 killed process' if len(dead) == 1 else f'{len(dead)} killed processes'
    names = ' '.join(f'{segment.path}*' for segment in dead[:NAMED])
    rest = '' if len(dead) <= NAMED else f', and so on for {len(dead) - NAMED} more'
    yield Finding('dds', WARN if size_bytes > accepted_bytes else OK,
                  f'{count} left {size_bytes / 2**20:.0f} MiB in {folder}, which stay there until removed',
                  f'fastdds shm clean; or rm {names}{rest}')


def _check_profile(tuning: Tuning, environment: Mapping[str, str]) -> Iterator[Finding]:
    if tuning.dds_profile:
        yield Finding('dds', OK, f'{tuning.dds_profile}, 32 MiB of shared memory for images')
        if (received := receive_buffer_bytes()) < MIN_RECEIVE_BUFFER_BYTES:
            yield Finding('dds', WARN, f'socket receive buffers are limited to {received / 2**20:.1f} MiB: half of the images of a '
                                       'camera whose process has no DDS profile may get lost',
                          f'sudo sysctl -w net.core.rmem_max={MIN_RECEIVE_BUFFER_BYTES}, or give the camera the profile too: '
                          f'export {dds_profile_variable(environment)}={tuning.dds_profile}')
        return
    chosen = next((environment[name] for name in DDS_PROFILE_VARIABLES if environment.get(name)), '')
    remedy = f'unset {" and ".join(DDS_PROFILE_VARIABLES)}, or set segment_size of an SHM transport as in config/fastdds.xml'
    if not chosen:
        yield Finding('dds', WARN, 'no profile: images larger than 0.5 MB are sent by UDP, which loses frames',
                      f'unset {OPT_OUT}' if environment.get(OPT_OUT) == '0' else remedy)
        return
    try:
        text = Path(chosen).read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        yield Finding('dds', ERROR, f'your profile {chosen} cannot be read: {error.strerror}', remedy)
        return
    sizes = [int(size) for size in re.findall(r'<segment_size>\s*(\d+)\s*</segment_size>', text)]
    largest = max(sizes, default=0)
    if largest < MIN_SEGMENT_BYTES:
        said = f'{largest / 2**20:.1f} MiB' if sizes else 'the default of 0.5 MB'
        yield Finding('dds', WARN, f'your profile {chosen} gives shared memory {said}: larger images are sent by UDP', remedy)
    else:
        yield Finding('dds', OK, f'your profile {chosen}, {largest / 2**20:.0f} MiB of shared memory')
