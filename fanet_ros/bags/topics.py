# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the camera topics of a bag, and name the cameras and their mask topics."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Sequence

from fanet_ros.bags.errors import BagError
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
IMAGE_TYPES = (IMAGE, COMPRESSED)
NODE = '/segmentation'
# Topics that the node publishes under its name, or under its name and a camera's.
OUTPUTS = ('mask', 'mask/compressed', 'confidence', 'confidence/compressed', 'camera_info', 'coverage', 'overlay',
           'overlay/compressed', 'class_map', 'label_info', 'timing')
# Parts of the names of image topics that do not come from a camera.
DERIVED_IMAGES = ('mask', 'overlay', 'confidence', 'ground_truth', 'depth')
# Parts of a topic's name that describe the content, not the camera.
PLAIN = ('image', 'image_raw', 'image_color', 'image_rect', 'image_rect_color', 'image_mono', 'color', 'rgb', 'compressed')
DEPTH_ENCODINGS = ('16UC1', '32FC1', '64FC1')


@dataclass(frozen=True)
class Topic:
    """A topic of a bag. `sample` describes its first image: the encoding, or the format of a compressed one."""

    name: str
    type_name: str
    count: int
    sample: str = ''


@dataclass(frozen=True)
class Camera:
    """One camera of a bag; `mask_topic` is named as by the node."""

    topic: str
    name: str
    mask_topic: str

    @property
    def prefix(self) -> str:
        """Common prefix of the camera's output topics."""
        return self.mask_topic[:-len('mask')]


def choose_cameras(topics: Sequence[Topic], asked: Sequence[str], option: str = '--topics') -> tuple[Camera, ...]:
    """Choose the requested cameras or, without a request, all topics that look like one.

    If a camera has a raw and a compressed topic, the raw one is taken. Images that other programs made (masks, overlays,
    depth) are left out.

    :param asked: requested cameras, each TOPIC or NAME=TOPIC
    :param option: command line option of the request, for messages
    :raises BagError: no such topic, none that looks like a camera, or two cameras with the same name
    """
    images = {topic.name: topic for topic in topics if topic.type_name in IMAGE_TYPES}
    if not asked:
        found = [topic.name for topic in images.values() if topic.count and looks_like_camera(topic)]
        chosen = {name: '' for name in found
                  if not (name.endswith(COMPRESSED_SUFFIX) and name.removesuffix(COMPRESSED_SUFFIX) in found)}
        if not chosen:
            raise BagError(f'the bag has no camera topic: expected Image or CompressedImage, it has {listed(topics)}; '
                           f'choose one with {option}')
    else:
        chosen = {}
        for text in asked:
            name, _, topic = text.rpartition('=')
            if topic not in images:
                raise BagError(f'{option} {topic}: the bag has no such image topic; it has {listed(topics)}')
            chosen[topic] = name
    names = camera_names(tuple(chosen))
    named = [(topic, name or names[topic]) for topic, name in chosen.items()]
    if len({name for _, name in named}) < len(named):
        raise BagError(f'two cameras have the same name: name them with {option} NAME=TOPIC NAME=TOPIC')
    if len(named) == 1:
        return (Camera(*named[0], f'{NODE}/mask'),)
    return tuple(Camera(topic, name, f'{NODE}/{name}/mask') for topic, name in named)


def looks_like_camera(topic: Topic) -> bool:
    """Whether an image topic may come from a camera."""
    parts = topic.name.strip('/').split('/')
    return not (topic.name.startswith(f'{NODE}/') or topic.name.endswith('/compressedDepth') or 'compressedDepth' in
                topic.sample or topic.sample in DEPTH_ENCODINGS or any(part in DERIVED_IMAGES for part in parts))


def is_of_node(topic: str) -> bool:
    """Whether the topic is an output of a segmentation node in any namespace, for one camera or several."""
    _, node, output = topic.rpartition(f'{NODE}/')
    parts = output.split('/')
    return bool(node) and any('/'.join(parts[start:]) in OUTPUTS for start in range(len(parts)))


def camera_names(topics: Sequence[str]) -> dict[str, str]:
    """A name for each topic: its last parts, as few as make the names unique."""
    parts = {topic: [part for part in topic.strip('/').split('/') if part not in PLAIN] or ['camera'] for topic in topics}
    for length in range(1, 1 + max((len(part) for part in parts.values()), default=0)):
        names = {topic: '_'.join(part[-length:]) for topic, part in parts.items()}
        if len(set(names.values())) == len(names):
            return names
    return {topic: '_'.join(topic.strip('/').split('/')) for topic in topics}


def listed(topics: Iterable[Topic]) -> str:
    """The topics, with type and message count, as text."""
    return ', '.join(f'{topic.name} ({topic.type_name.rpartition("/")[2]}, {topic.count})' for topic in topics) or 'no topics'
