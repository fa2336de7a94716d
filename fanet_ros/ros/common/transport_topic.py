# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic of the compressed images, with the remappings that apply to it."""
from __future__ import annotations

from rclpy.node import Node

from fanet_ros.images.transport_format import COMPRESSED_SUFFIX


class RemappingError(ValueError):
    """Topics are remapped so that a node cannot publish on them; says which remapping to use instead."""


def remapped_topic(node: Node, name: str) -> str:
    """Full name of a topic after remapping. As with image_transport, `.../compressed` follows the topic without that suffix, unless
    it is remapped itself.

    :param name: relative, private or absolute
    """
    topic, raw = node.resolve_topic_name(name), name.removesuffix(COMPRESSED_SUFFIX)
    if raw == name or topic != node.resolve_topic_name(name, only_expand=True):
        return topic
    return node.resolve_topic_name(raw).removesuffix(COMPRESSED_SUFFIX) + COMPRESSED_SUFFIX


def compressed_output_topic(node: Node, name: str) -> str:
    """remapped_topic() of `.../compressed`, for a node that publishes the raw images too.

    :raises RemappingError: it is the topic of the raw images
    """
    topic, image = remapped_topic(node, name), name.removesuffix(COMPRESSED_SUFFIX)
    if topic == node.resolve_topic_name(image):
        raw = topic.removesuffix(COMPRESSED_SUFFIX)
        raise RemappingError(f'{image} and {name} are both remapped to {topic}: remap only {image}, to {raw}, and the other one is '
                             f'{raw}{COMPRESSED_SUFFIX}')
    return topic
