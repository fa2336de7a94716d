# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags with a camera and its masks, for example this package's own recordings with masks corrected by hand."""
from __future__ import annotations

import threading
import warnings
import zlib
from collections import Counter, defaultdict
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple, Union

import numpy as np
from rosbags.interfaces import Connection

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.mask_topics import class_map_topic, recorded_class_maps
from fanet_ros.bags.reader import BagReader
from fanet_ros.datasets.image_files import check_labels, check_second_class
from fanet_ros.datasets.sample import DatasetError, Sample
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.decoding import ImageError, to_labels
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.size_text import size_text


class Place(NamedTuple):
    """Position of a message in its topic: the `number`-th received at `at_ns` (simulated time may stand still); and its CRC-32."""

    at_ns: int
    number: int
    checksum: int


@contextmanager
def _dataset_errors() -> Iterator[None]:
    """Convert BagError to DatasetError."""
    try:
        yield
    except BagError as error:
        raise DatasetError(str(error)) from None


@_dataset_errors()
def load_bag(path: Union[str, Path], camera_topic: str, mask_topic: str, num_classes: int, keep: Callable[[str], bool],
             cache: SampleCache) -> Samples:
    """All camera images that have a mask with the same stamp, read from the bag on demand.

    Several images and equally many masks with one stamp (such as 0) are paired in order. If the numbers differ, the pairing is
    ambiguous: these are left out, with a warning that counts them.

    :param camera_topic: Image or CompressedImage
    :param mask_topic: Image mono8 (or a PNG), class indices or 255
    :param keep: whether to use a sample, given its name: the stamp as 'SECONDS.NANOSECONDS'
    :raises DatasetError: no such bag or topic, no camera image with a mask, or masks whose values changed their meaning
    """
    bag = _Bag(Path(path).expanduser(), camera_topic, mask_topic, num_classes)
    bag.check_classes()
    images, masks = bag.places(camera_topic), bag.places(mask_topic)
    stamps = sorted(set(images) & set(masks))
    unclear = [stamp for stamp in stamps if len(images[stamp]) != len(masks[stamp])]
    if unclear:
        warnings.warn(
            f'{path}: {sum(len(masks[stamp]) for stamp in unclear)} masks are left out: their stamps, such as '
            f'{_name(unclear[0])}, have different numbers of images and masks, so the pairing is ambiguous', stacklevel=2)
    pairs = [(_name(stamp, number), image, mask) for stamp in stamps if len(images[stamp]) == len(masks[stamp])
             for number, (image, mask) in enumerate(zip(images[stamp], masks[stamp]))]
    if not pairs:
        raise DatasetError(f'{path}: none of {sum(map(len, images.values()))} images on {camera_topic} has its own mask '
                           f'with the same stamp among {sum(map(len, masks.values()))} on {mask_topic}')
    if num_classes == 2:
        check_second_class(bag.labels(), f'the masks on {mask_topic} of {path}')
    return Samples([Entry(name, partial(bag.sample, name, image, mask), checksum=image.checksum)
                    for name, image, mask in pairs if keep(name)], cache)


def _name(stamp_ns: int, number: int = 0) -> str:
    return f'{stamp_ns // 10**9}.{stamp_ns % 10**9:09d}' + (f'_{number}' if number else '')


class _Bag:
    """An open bag that is safe to read from several threads."""

    def __init__(self, path: Path, camera_topic: str, mask_topic: str, num_classes: int) -> None:
        self._path, self._topics, self._num_classes = path, (camera_topic, mask_topic), num_classes
        self._lock = threading.Lock()
        self._reader = BagReader(path)

    def places(self, topic: str) -> dict[int, list[Place]]:
        """Camera stamp in ns -> places of the topic's messages with that stamp, in order."""
        found: dict[int, list[Place]] = defaultdict(list)
        seen: Counter[int] = Counter()
        for connection, received_ns, raw in self._reader.messages(self._connections(topic)):
            stamp = stamp_ns(self._reader.decode(connection, raw).header)
            found[stamp].append(Place(received_ns, seen[received_ns], zlib.crc32(raw)))
            seen[received_ns] += 1
        return found

    def check_classes(self) -> None:
        """Check that the values of the masks mean the same in the whole bag, if it says what they mean.

        :raises DatasetError: they do not, because the node got another checkpoint or other classes while it was recorded
        """
        mask_topic = self._topics[1]
        found = recorded_class_maps(self._reader, mask_topic)
        if len(found) > 1:
            raise DatasetError(f'{self._path}: the masks on {mask_topic} changed their classes while they were recorded: '
                               f'{class_map_topic(mask_topic)} has {len(found)} different class maps; segment the bag again with '
                               'segment_bag')

    def labels(self) -> Iterator[np.ndarray]:
        """Yield the masks, skipping unreadable ones."""
        for _, _, message in self._reader.decoded(self._connections(self._topics[1])):
            try:
                yield to_labels(message)
            except ImageError:
                pass        # reported when the sample is read

    @_dataset_errors()
    def sample(self, name: str, image_at: Place, mask_at: Place) -> Sample:
        """Read the image and the mask at these places.

        :raises DatasetError: unreadable pixels, unequal sizes, or values that are not a class
        """
        image, mask = (self._message(topic, place) for topic, place in zip(self._topics, (image_at, mask_at)))
        where = f'{self._path} at {name}'
        try:
            rgb, labels = self._reader.rgb(self._topics[0], image), to_labels(mask)
        except ImageError as error:
            raise DatasetError(f'{where}: {error}') from None
        if labels.shape != rgb.shape[:2]:
            raise DatasetError(f'{where}: expected a mask of the size of its image, {size_text(*rgb.shape[:2])}, got '
                               f'{size_text(*labels.shape)}')
        check_labels(labels, self._num_classes, where)
        return Sample(name, rgb, labels)

    def _connections(self, topic: str) -> list[Connection]:
        return self._reader.select_images(topic, 'set camera_topic and mask_topic')

    def _message(self, topic: str, place: Place) -> Any:
        with self._lock:
            found = self._reader.messages(self._connections(topic), start=place.at_ns, stop=place.at_ns + 1)
            connection, _, raw = next(islice(found, place.number, None))
            return self._reader.decode(connection, raw)
