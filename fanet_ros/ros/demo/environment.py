# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS environment that the demo gives to its children."""
from __future__ import annotations

import random
import socket
from typing import Mapping

# Higher domains reach into the ports from which Linux takes those of outgoing connections.
DOMAIN_IDS = range(1, 101)
LAST_DOMAIN_ID = 232        # whose ports exist


class DemoError(Exception):
    """The demo cannot go on; the message is for the user."""


def ros_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with a free DDS domain, where the user chose none. Raises DemoError for one that cannot be."""
    result = dict(environment)
    chosen = result.get('ROS_DOMAIN_ID')
    if not chosen:
        result['ROS_DOMAIN_ID'] = str(free_domain_id())
    elif not chosen.isdecimal() or int(chosen) > LAST_DOMAIN_ID:
        raise DemoError(f'ROS_DOMAIN_ID is {chosen!r}: expected a number from 0 to {LAST_DOMAIN_ID}')
    # Children write to log files: without this their last lines would be lost when they crash.
    result['PYTHONUNBUFFERED'] = '1'
    return result


def free_domain_id() -> int:
    """A ROS_DOMAIN_ID in which no participant of this machine lives. Raises DemoError when all are taken."""
    for domain_id in random.sample(DOMAIN_IDS, len(DOMAIN_IDS)):
        if _is_free(domain_id):
            return domain_id
    raise DemoError('every ROS_DOMAIN_ID from 1 to 100 is in use on this machine: set one')


def _is_free(domain_id: int) -> bool:
    """Participants share the discovery port of their domain (DDSI-RTPS 9.6.1.1), which this bind does not."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7400 + 250 * domain_id))
        except OSError:
            return False
    return True
