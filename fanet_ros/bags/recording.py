# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a recorded bag back: what is in it, and its frames joined by their stamps. Needs no ROS."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, Optional

import numpy as np
from rosbags.interfaces import Connection

from fanet_ros.bags.reader import BagReader, BagReadError
from fanet_ros.images.decoding import ImageError, to_labels, to_rgb


class RecordingError(ValueError):
    """The bag cannot be read; the message is one line."""


@dataclass(frozen=True)
class TopicNames:
    """The topics of one camera in a bag. `camera` may carry Image or CompressedImage."""

    camera: str = '/image'
    mask: str = '/segmentation/mask'
    overlay: str = '/segmentation/overlay'
    timing: str = '/segmentation/timing'
    truth: str = '/ground_truth'


@dataclass(frozen=True)
class RecordedImage:
    """What the header of one image message says, without its pixels.

    `stamp_ns` is the camera's stamp, `received_ns` when the recorder got the message, in ns since the epoch.
    `height` and `width` in px are 0 for a compressed image; `values` lists the pixel values of a mono8 one.
    """

    stamp_ns: int
    received_ns: int
    frame_id: str
    height: int = 0
    width: int = 0
    step: int = 0
    encoding: str = ''
    values: tuple[int, ...] = ()


@dataclass(frozen=True)
class RecordedTiming:
    """One FrameTiming message; fields named as in the message."""

    stamp_ns: int
    input_height: int
    input_width: int
    frame_age_ms: float
    wait_ms: float
    convert_ms: float
    preprocess_ms: float
    network_ms: float
    postprocess_ms: float
    publish_ms: float
    overlay_ms: float
    total_ms: float
    frames_received: int
    frames_segmented: int
    frames_dropped: int
    frames_rejected: int


@dataclass(frozen=True)
class RecordedFrame:
    """A camera frame that was segmented: rgb and overlay (H, W, 3) uint8 RGB, labels and truth (H, W) uint8.

    overlay and truth are None where the bag has none for this stamp.
    """

    stamp_ns: int
    rgb: np.ndarray
    labels: np.ndarray
    overlay: Optional[np.ndarray]
    truth: Optional[np.ndarray]


class Recording:
    """An open bag. Use as a context manager. Raises RecordingError when it cannot be read."""

    def __init__(self, path: Path, topics: TopicNames = TopicNames()) -> None:
        self.path = path
        self.topics = topics
        try:
            self._reader = BagReader(path)
        except BagReadError as error:
            raise RecordingError(str(error)) from None

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._reader.close()

    @property
    def size_bytes(self) -> int:
        files = self.path.iterdir() if self.path.is_dir() else (self.path,)
        return sum(file.stat().st_size for file in files)

    @cached_property
    def images(self) -> dict[str, list[RecordedImage]]:
        """Headers of all images by topic, in the order received; an absent topic has an empty list."""
        found: dict[str, list[RecordedImage]] = defaultdict(list)
        for connection, received_ns, message in self._messages(
                self.topics.camera, self.topics.mask, self.topics.overlay, self.topics.truth):
            found[connection.topic].append(_image_header(message, received_ns))
        return found

    @cached_property
    def timings(self) -> list[RecordedTiming]:
        names = [field.name for field in fields(RecordedTiming) if field.name != 'stamp_ns']
        return [
            RecordedTiming(_stamp_ns(message), **{name: getattr(message, name) for name in names})
            for _, _, message in self._messages(self.topics.timing)]

    def frames(self) -> Iterator[RecordedFrame]:
        """Segmented frames, in the order they became complete; the bag is streamed, never held at once.

        :raises RecordingError: the bag has no such camera or mask
        """
        self._require(self.topics.camera, self.topics.mask)
        expected = self._topics_by_stamp()
        pending: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
        for connection, _, message in self._messages(
                self.topics.camera, self.topics.mask, self.topics.overlay, self.topics.truth):
            stamp_ns = _stamp_ns(message)
            if stamp_ns not in expected:
                continue    # dropped by the node: no mask will come
            is_mask = connection.topic in (self.topics.mask, self.topics.truth)
            pending[stamp_ns][connection.topic] = _pixels(message, is_mask)
            if pending[stamp_ns].keys() >= expected[stamp_ns]:
                yield self._joined(stamp_ns, pending.pop(stamp_ns))
                del expected[stamp_ns]

    def _require(self, *topics: str) -> None:
        there = sorted({connection.topic for connection in self._reader.connections
                        if connection.msgtype.startswith('sensor_msgs/') and connection.msgtype.endswith('Image')})
        for topic in topics:
            if topic not in there:
                raise RecordingError(f'{self.path} has no images on {topic}; it has {", ".join(there) or "none"}: name them in '
                                     'TopicNames')

    def _topics_by_stamp(self) -> dict[int, set[str]]:
        """Topics that have a message with this stamp, for stamps with one camera frame and one mask.

        Of several under one stamp, nothing tells which mask belongs to which frame.
        """
        topics: dict[int, list[str]] = defaultdict(list)
        for topic, images in self.images.items():
            for image in images:
                topics[image.stamp_ns].append(topic)
        return {stamp: set(names) for stamp, names in topics.items()
                if names.count(self.topics.camera) == names.count(self.topics.mask) == 1}

    def _joined(self, stamp_ns: int, pixels: dict[str, np.ndarray]) -> RecordedFrame:
        return RecordedFrame(
            stamp_ns, rgb=pixels[self.topics.camera], labels=pixels[self.topics.mask],
            overlay=pixels.get(self.topics.overlay), truth=pixels.get(self.topics.truth))

    def _messages(self, *topics: str) -> Iterator[tuple[Connection, int, Any]]:
        connections = [connection for connection in self._reader.connections if connection.topic in topics]
        if not connections:
            return    # no filter would mean all of them
        for connection, received_ns, raw in self._reader.messages(connections):
            yield connection, received_ns, self._reader.deserialize(raw, connection.msgtype)


def _pixels(message: Any, is_mask: bool) -> np.ndarray:
    try:
        return to_labels(message) if is_mask else to_rgb(message)
    except ImageError as error:
        raise RecordingError(str(error)) from None


def _stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def _image_header(message: Any, received_ns: int) -> RecordedImage:
    header = _stamp_ns(message), received_ns, message.header.frame_id
    if hasattr(message, 'format'):
        return RecordedImage(*header, encoding=message.format)
    values: tuple[int, ...] = ()
    if message.encoding == 'mono8':
        values = tuple(int(value) for value in np.flatnonzero(np.bincount(message.data, minlength=256)))
    return RecordedImage(*header, message.height, message.width, message.step, message.encoding, values)
