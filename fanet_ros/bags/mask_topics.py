# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the masks in a bag, and the camera that each mask topic belongs to."""
from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.topics import IMAGE_TYPES, Camera, camera_names, is_of_node, looks_like_camera
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX

# Masks that decide which camera a topic belongs to, and messages that are searched for them.
VOTES, SEARCHED = 20, 2000
# How much later than its image a mask may be received: more than a node takes for a frame.
MAX_LAG_NS = 2 * 10**9


def masked_cameras(bag: BagReader) -> tuple[Camera, ...]:
    """The cameras that have masks, recorded by the node or written by segment_bag, in the order of the bag's topics.

    A mask has the stamp and the frame_id of its image and is received after it. If images of several topics fit (raw and
    rectified, for example), the last one received counts: segment_bag writes each mask directly after its image.

    :raises BagError: a mask topic without images, or two of one camera
    """
    topics = {topic.name: topic for topic in bag.list_topics() if topic.type_name in IMAGE_TYPES and topic.count}
    masks = [name for name in topics if _is_mask(name) and not (
        name.endswith(COMPRESSED_SUFFIX) and name.removesuffix(COMPRESSED_SUFFIX) in topics)]
    if not masks:
        return ()
    votes = _votes(bag, masks, [topic.name for topic in topics.values() if not is_of_node(topic.name) and looks_like_camera(topic)])
    owners: dict[str, str] = {}
    for mask, counts in votes.items():
        if not counts:
            raise BagError(f'{bag.path}: no image with the stamp and frame_id of a mask on {mask} among the first '
                           f'{SEARCHED} images and masks')
        topic = counts.most_common(1)[0][0]
        if topic in owners:
            raise BagError(f'{bag.path} has two mask topics for {topic}, {owners[topic]} and {mask}: expected one')
        owners[topic] = mask
    names = camera_names(tuple(owners))
    return tuple(Camera(topic, names[topic], mask) for topic, mask in owners.items())


def class_map_topic(mask_topic: str) -> str:
    """The topic with the ClassMap of these masks."""
    return mask_topic.removesuffix(COMPRESSED_SUFFIX).removesuffix('mask') + 'class_map'


def recorded_class_maps(bag: BagReader, mask_topic: str) -> list[Any]:
    """A ClassMap message of each meaning that the values of these masks have in the bag: several if they changed meanwhile.

    :raises BagError: one cannot be decoded
    """
    found = {(tuple(message.ids.tolist()), tuple(message.names)): message
             for _, _, message in bag.decoded(bag.select([class_map_topic(mask_topic)]))}
    return list(found.values())


def _is_mask(name: str) -> bool:
    return is_of_node(name) and name.removesuffix(COMPRESSED_SUFFIX).endswith('/mask')


def _votes(bag: BagReader, masks: list[str], cameras: list[str]) -> dict[str, Counter[str]]:
    """For each mask topic: camera topic -> number of the first masks that have the header of an image on it."""
    votes: dict[str, Counter[str]] = {mask: Counter() for mask in masks}
    latest: dict[tuple[int, str], str] = {}     # header -> camera topic of the last image with it
    for connection, _, raw in islice(bag.messages(bag.select([*masks, *cameras], IMAGE_TYPES)), SEARCHED):
        try:
            header = bag.decode(connection, raw).header
        except BagError:        # damaged
            continue
        key = stamp_ns(header), header.frame_id
        if connection.topic not in votes:
            latest[key] = connection.topic
        elif key in latest:
            votes[connection.topic][latest[key]] += 1
            if all(counts.total() >= VOTES for counts in votes.values()):
                break
    return votes
