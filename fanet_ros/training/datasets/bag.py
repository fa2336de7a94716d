"""Rosbags of a camera and of masks, for example this package's own recordings with the masks corrected by hand."""
from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any, Callable, Union

from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.interfaces import Connection
from rosbags.rosbag2 import ReaderError
from rosbags.typesys import Stores, get_typestore

from fanet_ros.sources.image_decoding import ImageError, to_labels, to_rgb
from fanet_ros.training.datasets.pictures import check_labels
from fanet_ros.training.datasets.sample import DatasetError, Sample
from fanet_ros.training.datasets.samples import Entry, SampleCache, Samples

TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')


def load_bag(path: Union[str, Path], camera_topic: str, mask_topic: str, num_classes: int, keep: Callable[[str], bool],
             cache: SampleCache) -> Samples:
    """Every camera image that has a mask with the same stamp; read from the bag when it is asked for.

    :param camera_topic: Image or CompressedImage
    :param mask_topic: Image mono8 (or a PNG), class indices or 255
    :param keep: takes a name, the stamp as 'SECONDS.NANOSECONDS', says whether it is used
    :raises DatasetError: no such bag or topic, or no camera image with a mask
    """
    bag = _Bag(Path(path).expanduser(), camera_topic, mask_topic, num_classes)
    images, masks = bag.received(camera_topic), bag.received(mask_topic)
    stamps = sorted(set(images) & set(masks))
    if not stamps:
        raise DatasetError(f'{path}: none of {len(images)} images on {camera_topic} has a mask with the same stamp '
                           f'among {len(masks)} on {mask_topic}')
    names = {stamp: f'{stamp // 10**9}.{stamp % 10**9:09d}' for stamp in stamps}
    return Samples([Entry(names[stamp], partial(bag.sample, names[stamp], images[stamp], masks[stamp]))
                    for stamp in stamps if keep(names[stamp])], cache)


class _Bag:
    """An open bag, which threads take turns to read from."""

    def __init__(self, path: Path, camera_topic: str, mask_topic: str, num_classes: int) -> None:
        self._path, self._topics, self._num_classes = path, (camera_topic, mask_topic), num_classes
        self._lock = threading.Lock()
        try:
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
        except (AnyReaderError, ReaderError, OSError) as error:
            raise DatasetError(f'cannot read the bag {path}: {" ".join(str(error).split())}') from None

    def received(self, topic: str) -> dict[int, int]:
        """Camera stamp -> time of recording, both in ns, of all messages of a topic."""
        return {_stamp_ns(self._reader.deserialize(raw, connection.msgtype)): received_ns
                for connection, received_ns, raw in self._reader.messages(self._connections(topic))}

    def sample(self, name: str, image_ns: int, mask_ns: int) -> Sample:
        """The image and the mask that were recorded at these times.

        :raises DatasetError: pixels that cannot be read, unequal sizes, values that are no class
        """
        image, mask = (self._message(topic, at_ns) for topic, at_ns in zip(self._topics, (image_ns, mask_ns)))
        where = f'{self._path} at {name}'
        try:
            rgb, labels = to_rgb(image), to_labels(mask)
        except ImageError as error:
            raise DatasetError(f'{where}: {error}') from None
        if labels.shape != rgb.shape[:2]:
            raise DatasetError(f'{where}: expected a mask of the size of its image {rgb.shape[:2]}, got {labels.shape}')
        check_labels(labels, self._num_classes, where)
        return Sample(name, rgb, labels)

    def _connections(self, topic: str) -> list[Connection]:
        connections = [item for item in self._reader.connections if item.topic == topic and item.msgtype in TYPES]
        if not connections:
            present = sorted(item.topic for item in self._reader.connections if item.msgtype in TYPES)
            raise DatasetError(f'{self._path} has no images on {topic}: set camera_topic and mask_topic; it has '
                               f'{", ".join(present) or "none at all"}')
        return connections

    def _message(self, topic: str, at_ns: int) -> Any:
        with self._lock:
            found = self._reader.messages(self._connections(topic), start=at_ns, stop=at_ns + 1)
            connection, _, raw = next(iter(found))
            return self._reader.deserialize(raw, connection.msgtype)


def _stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
