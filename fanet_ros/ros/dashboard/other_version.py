# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the node on the other side speaks the same messages; those of another version would be read as nonsense."""
from __future__ import annotations

import functools
from typing import Sequence

from rclpy.topic_endpoint_info import TopicEndpointInfo

from fanet_ros.bags.definitions import message_definition
from fanet_ros.bags.errors import BagError


def why_unreadable(topic: str, type_name: str, publishers: Sequence[TopicEndpointInfo]) -> str:
    """A line that says why messages of this type cannot be read from `topic`; '' if they can, as far as is known."""
    other_types = sorted({info.topic_type for info in publishers} - {type_name})
    if other_types:
        return f'{topic} carries {", ".join(other_types)}, expected {type_name}'
    if not type_name.startswith('fanet_ros/'):
        return ''
    ours = own_hash(type_name)
    hashes = {str(getattr(info, 'topic_type_hash', '')) for info in publishers} - {'', 'INVALID'}   # Humble tells none
    if ours and hashes - {ours}:
        name = type_name.rpartition('/')[2]
        return (f'{topic} is published by another version of fanet_ros, whose {name} is another message: '
                'run node and dashboard from the same installation')
    return ''


@functools.cache
def own_hash(type_name: str) -> str:
    """Hash of the type as it is installed here; '' where that cannot be told."""
    try:
        return message_definition(type_name).type_hash
    except BagError:
        return ''
