# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the tests' ROS traffic on this machine and out of any robot's domain; shared bag fixtures."""
import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any, Callable

import pytest
from domains import own_domain

# Before anything imports rclpy: the middleware reads these once, and processes that tests start inherit them.
# Parallel test processes inherit the domain of the one that starts them; each needs its own.
if not os.environ.get('ROS_DOMAIN_ID') or os.environ.get('PYTEST_XDIST_WORKER'):
    _domain = own_domain()      # until this process ends
    os.environ['ROS_DOMAIN_ID'] = str(_domain.__enter__())
if os.environ.get('ROS_DISTRO') == 'humble':
    os.environ.setdefault('ROS_LOCALHOST_ONLY', '1')
else:
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')

# Humble always checks the types of message fields, later distributions only on request.
os.environ.setdefault('ROS_PYTHON_CHECK_FIELDS', '1')

# A process that crashes prints where each of its threads was.
os.environ.setdefault('PYTHONFAULTHANDLER', '1')

# Engine caches start empty: a test must not depend on what an earlier run left behind.
_cache = tempfile.mkdtemp(prefix='fanet_ros_test_cache_')
os.environ['XDG_CACHE_HOME'] = _cache
atexit.register(shutil.rmtree, _cache, ignore_errors=True)

# A shell that starts pytest in the background makes it ignore Ctrl-C, and so would every process that tests interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Imported on use: the GPU tests also run where rosbags is not installed.
@pytest.fixture(name='stamp_ns')
def stamp_ns_fixture() -> Callable[[int], int]:
    """A function that returns the camera stamp of a frame number."""
    from written_bags import stamp_ns
    return stamp_ns


@pytest.fixture(name='write_bag')
def write_bag_fixture(tmp_path: Path) -> Callable[[Callable[[Any], None]], Path]:
    """A function that writes a bag: it takes a callback that fills it (with a FrameWriter), and returns the bag's path."""
    from written_bags import write_bag
    return lambda fill: write_bag(tmp_path / 'bag', fill)
