# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects publishers whose message definitions differ from ours: their messages would be misread."""
from __future__ import annotations

import functools
from typing import Sequence

from rclpy.topic_endpoint_info import TopicEndpointInfo

from fanet_ros.bags.definitions import message_definition
from fanet_ros.bags.errors import BagError


def why_unreadable(topic: str, type_name: str, publishers: Sequence[TopicEndpointInfo]) -> str:
    """Why messages of this type cannot be read from `topic`, one line; '' if no mismatch is known."""
    other_types = sorted({info.topic_type for info in publishers} - {type_name})
    if other_types:
        return f'{topic} carries {", ".join(other_types)}, expected {type_name}'
    if not type_name.startswith('fanet_ros/'):
        return ''
    ours = own_hash(type_name)
    hashes = {str(getattr(info, 'topic_type_hash', '')) for info in publishers} - {'', 'INVALID'}   # Humble has no hashes
    if ours and hashes - {ours}:
        name = type_name.rpartition('/')[2]
        return (f'{topic} is published by another version of fanet_ros, whose {name} message differs: '
                'run node and dashboard from the same installation')
    return ''


@functools.cache
def own_hash(type_name: str) -> str:
    """Hash of the type as installed here; '' if unknown."""
    try:
        return message_definition(type_name).type_hash
    except BagError:
        return ''
