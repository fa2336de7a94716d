# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DDS domains for tests, of which no two test processes of a machine have the same."""
from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Optional

DOMAIN_IDS = range(1, 101)      # higher domains overlap the ports that Linux assigns to outgoing connections


@contextmanager
def own_domain(candidates: Sequence[int] = DOMAIN_IDS) -> Iterator[int]:
    """A domain that no process on this machine uses, kept from the other tests meanwhile, also before the first node is in it.

    :raises RuntimeError: all candidates are in use
    """
    for domain_id in random.sample(candidates, len(candidates)):
        claim = _claim(domain_id)
        if claim is not None:
            with claim:
                yield domain_id
            return
    raise RuntimeError(f'every ROS_DOMAIN_ID from {min(candidates)} to {max(candidates)} is in use on this machine')


def _claim(domain_id: int) -> Optional[socket.socket]:
    """A socket with the domain's name in Linux' abstract namespace: a second one is refused, and it vanishes with its process.

    None if somebody has it, or if a participant has bound the discovery port of the domain (DDSI-RTPS 9.6.1.1).
    """
    claim = socket.socket(socket.AF_UNIX)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(('', 7400 + 250 * domain_id))
        claim.bind(f'\0fanet_ros_test_domain_{domain_id}')
        return claim
    claim.close()
    return None
