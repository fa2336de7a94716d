# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the topic of the images that the segmentation node works on, without configuration."""
from __future__ import annotations

from typing import Mapping, Optional, Sequence

IMAGE_TYPES = ('sensor_msgs/msg/CompressedImage', 'sensor_msgs/msg/Image')


def find_image_topic(camera: str, own: str, published: Mapping[str, Sequence[str]],
                     heard_by_node: Sequence[tuple[str, Sequence[str]]], said: str = '') -> Optional[tuple[str, str]]:
    """Topic and type of the camera's images, None if not found.

    In this order: the topic that the node names; the node's image subscription, for a camera with a name the one with that name in
    it, because a lazy node may subscribe only to other cameras; the dashboard's own topic after remapping; the same, compressed.

    :param camera: camera name, '' for a single camera
    :param own: full name of the dashboard's topic `image`, or `CAMERA/image`
    :param published: types of every topic that has a publisher
    :param heard_by_node: topic and types of each subscription of the node
    :param said: topic of this camera in the node's diagnostics, '' if unknown
    """
    named = [(said, kind) for kind in IMAGE_TYPES if kind in published.get(said, ())]
    if len(named) == 1:
        return named[0]
    heard = [(topic, kind) for topic, types in heard_by_node for kind in types if kind in IMAGE_TYPES]
    if camera:
        part = f'/{camera}/'
        heard = [(topic, kind) for topic, kind in heard if part in topic]
    if len(heard) == 1:
        return heard[0]
    candidates = [(topic, kind) for topic in (own, f'{own}/compressed') for kind in IMAGE_TYPES]
    return next(((topic, kind) for topic, kind in candidates if kind in published.get(topic, ())), None)
