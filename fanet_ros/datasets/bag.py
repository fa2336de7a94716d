# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags of a camera and of masks, for example this package's own recordings with the masks corrected by hand."""
from __future__ import annotations

import threading
import warnings
from collections import Counter, defaultdict
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple, Union

import numpy as np
from rosbags.interfaces import Connection

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.datasets.image_files import check_labels, check_second_class
from fanet_ros.datasets.sample import DatasetError, Sample
from fanet_ros.datasets.samples import Entry, SampleCache, Samples
from fanet_ros.images.decoding import ImageError, to_labels, to_rgb
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.size_text import size_text


class Place(NamedTuple):
    """Where a message of a topic is: received at `at_ns`, the `number`-th of those at that very time (simulated time stands)."""

    at_ns: int
    number: int


@contextmanager
def _dataset_errors() -> Iterator[None]:
    """What is wrong with the bag is wrong with the data."""
    try:
        yield
    except BagError as error:
        raise DatasetError(str(error)) from None


@_dataset_errors()
def load_bag(path: Union[str, Path], camera_topic: str, mask_topic: str, num_classes: int, keep: Callable[[str], bool],
             cache: SampleCache) -> Samples:
    """Every camera image that has a mask with the same stamp; read from the bag when it is asked for.

    A stamp that as many images as masks have (0, say) joins them in their order. Where the numbers differ nothing tells which
    belong together: these are left out, with a warning that counts them.

    :param camera_topic: Image or CompressedImage
    :param mask_topic: Image mono8 (or a PNG), class indices or 255
    :param keep: takes a name, the stamp as 'SECONDS.NANOSECONDS', says whether it is used
    :raises DatasetError: no such bag or topic, or no camera image with a mask
    """
    bag = _Bag(Path(path).expanduser(), camera_topic, mask_topic, num_classes)
    images, masks = bag.places(camera_topic), bag.places(mask_topic)
    stamps = sorted(set(images) & set(masks))
    unclear = [stamp for stamp in stamps if len(images[stamp]) != len(masks[stamp])]
    if unclear:
        warnings.warn(
            f'{path}: {sum(len(masks[stamp]) for stamp in unclear)} masks are left out: other numbers of images than of masks '
            f'have their stamps, such as {_name(unclear[0])}, so that nothing tells which belong together', stacklevel=2)
    pairs = [(_name(stamp, number), image, mask) for stamp in stamps if len(images[stamp]) == len(masks[stamp])
             for number, (image, mask) in enumerate(zip(images[stamp], masks[stamp]))]
    if not pairs:
        raise DatasetError(f'{path}: none of {sum(map(len, images.values()))} images on {camera_topic} has a mask of its own '
                           f'with the same stamp among {sum(map(len, masks.values()))} on {mask_topic}')
    if num_classes == 2:
        check_second_class(bag.labels(), f'the masks on {mask_topic} of {path}')
    return Samples([Entry(name, partial(bag.sample, name, image, mask)) for name, image, mask in pairs if keep(name)], cache)


def _name(stamp_ns: int, number: int = 0) -> str:
    return f'{stamp_ns // 10**9}.{stamp_ns % 10**9:09d}' + (f'_{number}' if number else '')


class _Bag:
    """An open bag, which threads take turns to read from."""

    def __init__(self, path: Path, camera_topic: str, mask_topic: str, num_classes: int) -> None:
        self._path, self._topics, self._num_classes = path, (camera_topic, mask_topic), num_classes
        self._lock = threading.Lock()
        self._reader = BagReader(path)

    def places(self, topic: str) -> dict[int, list[Place]]:
        """Stamp of the camera in ns -> where the messages with it are, of all messages of a topic, in their order."""
        found: dict[int, list[Place]] = defaultdict(list)
        seen: Counter[int] = Counter()
        for _, received_ns, message in self._reader.decoded(self._connections(topic)):
            found[stamp_ns(message.header)].append(Place(received_ns, seen[received_ns]))
            seen[received_ns] += 1
        return found

    def labels(self) -> Iterator[np.ndarray]:
        """The masks one after the other, those left out that cannot be read."""
        for _, _, message in self._reader.decoded(self._connections(self._topics[1])):
            try:
                yield to_labels(message)
            except ImageError:
                pass        # told when it is asked for

    @_dataset_errors()
    def sample(self, name: str, image_at: Place, mask_at: Place) -> Sample:
        """The image and the mask that are there.

        :raises DatasetError: pixels that cannot be read, unequal sizes, values that are no class
        """
        image, mask = (self._message(topic, place) for topic, place in zip(self._topics, (image_at, mask_at)))
        where = f'{self._path} at {name}'
        try:
            rgb, labels = to_rgb(image), to_labels(mask)
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
