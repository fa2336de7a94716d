# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read what camera and node published: headers, timings, and frames joined by their stamps."""
from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any, Iterator, Optional, Union

import numpy as np

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.bags.recording import RecordedImage, RecordedTiming, SegmentedFrame, TopicNames
from fanet_ros.images.decoding import ImageError, to_labels
from fanet_ros.images.stamps import stamp_ns


class FrameReader(BagReader):
    """An open bag of one camera and its masks.

    :raises BagError: it cannot be read
    """

    def __init__(self, path: Union[str, Path], topics: Optional[TopicNames] = None) -> None:
        super().__init__(path)
        self.topics = topics or TopicNames()

    @property
    def size_bytes(self) -> int:
        files = self.path.iterdir() if self.path.is_dir() else (self.path,)
        return sum(file.stat().st_size for file in files)

    @cached_property
    def images(self) -> dict[str, list[RecordedImage]]:
        """Headers of all images by topic, in the order received; an absent topic has an empty list."""
        found: dict[str, list[RecordedImage]] = defaultdict(list)
        for topic, received_ns, message in self._image_messages():
            found[topic].append(_image_header(message, received_ns))
        return found

    @cached_property
    def timings(self) -> list[RecordedTiming]:
        names = [field.name for field in fields(RecordedTiming) if field.name != 'stamp_ns']
        return [
            RecordedTiming(stamp_ns(message.header), **{name: getattr(message, name) for name in names})
            for _, _, message in self.decoded(self.select([self.topics.timing]))]

    def frames(self) -> Iterator[SegmentedFrame]:
        """Yield segmented frames in the order they become complete; the bag is streamed, never held in memory as a whole.

        :raises BagError: the bag has no such camera or mask topic, or an unreadable image
        """
        for topic in (self.topics.camera, self.topics.mask):
            self.select_images(topic, 'name them in TopicNames')
        expected = self._topics_by_stamp()
        pending: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
        for topic, _, message in self._image_messages():
            stamp = stamp_ns(message.header)
            if stamp not in expected:
                continue    # dropped by the node: no mask will come
            is_mask = topic in (self.topics.mask, self.topics.truth)
            pending[stamp][topic] = self._pixels(topic, message, is_mask)
            if pending[stamp].keys() >= expected[stamp]:
                yield self._joined(stamp, pending.pop(stamp))
                del expected[stamp]

    def _topics_by_stamp(self) -> dict[int, set[str]]:
        """Stamp -> topics that have a message with it, for stamps with exactly one camera frame and one mask.

        With several of one stamp, it is unclear which mask belongs to which frame.
        """
        topics: dict[int, list[str]] = defaultdict(list)
        for topic, images in self.images.items():
            for image in images:
                topics[image.stamp_ns].append(topic)
        return {stamp: set(names) for stamp, names in topics.items()
                if names.count(self.topics.camera) == names.count(self.topics.mask) == 1}

    def _joined(self, stamp: int, pixels: dict[str, np.ndarray]) -> SegmentedFrame:
        return SegmentedFrame(
            stamp, rgb=pixels[self.topics.camera], labels=pixels[self.topics.mask],
            overlay=pixels.get(self.topics.overlay), truth=pixels.get(self.topics.truth))

    def _image_messages(self) -> Iterator[tuple[str, int, Any]]:
        topics = self.topics.camera, self.topics.mask, self.topics.overlay, self.topics.truth
        for connection, received_ns, message in self.decoded(self.select(topics)):
            yield connection.topic, received_ns, message

    def _pixels(self, topic: str, message: Any, is_mask: bool) -> np.ndarray:
        try:
            return to_labels(message) if is_mask else self.rgb(topic, message)
        except ImageError as error:
            raise BagError(str(error)) from None


def _image_header(message: Any, received_ns: int) -> RecordedImage:
    header = stamp_ns(message.header), received_ns, message.header.frame_id
    if hasattr(message, 'format'):
        return RecordedImage(*header, encoding=message.format)
    values: tuple[int, ...] = ()
    if message.encoding == 'mono8':
        values = tuple(int(value) for value in np.flatnonzero(np.bincount(message.data, minlength=256)))
    return RecordedImage(*header, message.height, message.width, message.step, message.encoding, values)
