# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS environment of the demo's child processes."""
from __future__ import annotations

import random
import socket
from typing import Mapping

# The ports of higher domains overlap the ephemeral ports of Linux.
DOMAIN_IDS = range(1, 101)
LAST_DOMAIN_ID = 232        # the ports of higher ones exceed 65535


class DemoError(Exception):
    """The demo cannot continue; the message is for the user."""


def ros_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Copy of `environment` with a free ROS_DOMAIN_ID if none is set.

    :raises DemoError: the ROS_DOMAIN_ID that is set is invalid, or none is free
    """
    result = dict(environment)
    chosen = result.get('ROS_DOMAIN_ID')
    if not chosen:
        result['ROS_DOMAIN_ID'] = str(free_domain_id())
    elif not chosen.isdecimal() or int(chosen) > LAST_DOMAIN_ID:
        raise DemoError(f'ROS_DOMAIN_ID is {chosen!r}: expected a number from 0 to {LAST_DOMAIN_ID}')
    # The children write to log files: without this, their last lines would be lost in a crash.
    result['PYTHONUNBUFFERED'] = '1'
    return result


def free_domain_id() -> int:
    """A random ROS_DOMAIN_ID that no process on this machine uses.

    :raises DemoError: all in DOMAIN_IDS are in use
    """
    for domain_id in random.sample(DOMAIN_IDS, len(DOMAIN_IDS)):
        if _is_free(domain_id):
            return domain_id
    raise DemoError('every ROS_DOMAIN_ID from 1 to 100 is in use on this machine: set one')


def _is_free(domain_id: int) -> bool:
    """Whether no participant has bound the discovery port of the domain (DDSI-RTPS 9.6.1.1); they share it, this bind does not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7400 + 250 * domain_id))
        except OSError:
            return False
    return True
