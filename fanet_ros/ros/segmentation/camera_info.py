# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration that belongs to a mask: found among those of the camera, scaled to the mask's size."""
from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from typing import Optional

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fanet_ros.images.stamps import stamp_ns

# Of the last two seconds of a 30 Hz camera, more than any frame waits.
KEPT = 64
COMPRESSED = '/compressed'
ROI_SLACK_PX = 1


class CameraInfos:
    """The newest messages of one camera. put() and find() may be called from different threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_stamp: OrderedDict[int, CameraInfo] = OrderedDict()

    def put(self, info: CameraInfo) -> None:
        """Keep `info`, in place of the oldest."""
        with self._lock:
            stamp = stamp_ns(info.header)
            self._by_stamp.pop(stamp, None)
            self._by_stamp[stamp] = info
            if len(self._by_stamp) > KEPT:
                self._by_stamp.popitem(last=False)

    def find(self, header: Header, height: int, width: int) -> Optional[CameraInfo]:
        """That of the image's own stamp, else the newest of its frame_id; in any case one for images of this size.

        A frame_id that is missing on one side is no other one. A size of 0x0 with a calibration is taken for the image's.
        """
        found = next((info for info in self._candidates(header) if _misfit(info, header, height, width) == ''), None)
        if found is not None and not any(image_size(found)):
            found = copy.deepcopy(found)
            found.height, found.width = height, width
        return found

    def why_not(self, header: Header, height: int, width: int) -> str:
        """Why find() finds none, in half a sentence."""
        nearest = next(iter(self._candidates(header)), None)
        return 'no camera_info has come' if nearest is None else _misfit(nearest, header, height, width)

    def _candidates(self, header: Header) -> list[CameraInfo]:
        with self._lock:
            exact = self._by_stamp.get(stamp_ns(header))
            newest = list(reversed(self._by_stamp.values()))
        return ([exact] if exact else []) + newest


def _misfit(info: CameraInfo, header: Header, height: int, width: int) -> str:
    """Why `info` is not for an image of this header and size, in half a sentence; '' if it is."""
    own, wanted = info.header.frame_id, header.frame_id
    if own and wanted and own != wanted:
        return f'camera_info is of frame {own!r}, the image of {wanted!r}'
    size = image_size(info)
    if not any(size):
        return '' if info.k[0] else 'uncalibrated: camera_info has neither size nor focal length'
    if max(abs(size[0] - height), abs(size[1] - width)) > ROI_SLACK_PX:
        return f'camera_info is for images of {size[1]}x{size[0]}, they are {width}x{height}'
    return ''


def image_size(info: CameraInfo) -> tuple[int, int]:
    """Height and width of the images that `info` belongs to: the region of interest of the sensor, binned."""
    height, width = _part(info.roi.height, info.height), _part(info.roi.width, info.width)
    return height // max(info.binning_y, 1), width // max(info.binning_x, 1)


def _part(region: int, whole: int) -> int:
    """A region of interest that lacks a pixel is the whole: drivers give the last pixel in place of the length."""
    return whole if not region or 0 < whole - region <= ROI_SLACK_PX else region


def scaled_camera_info(info: CameraInfo, header: Header, height: int, width: int) -> CameraInfo:
    """Calibration of the image of `info` resized to `height` x `width` px, the way image_proc's ResizeNode does it.

    Focal lengths, principal point and the offset of a stereo pair in K and P, size and region of interest are
    multiplied; distortion, rectification and binning stay.
    """
    image_height, image_width = image_size(info)
    scale_x, scale_y = width / image_width, height / image_height
    scaled = copy.deepcopy(info)
    scaled.header = header
    scaled.width, scaled.height = round(info.width * scale_x), round(info.height * scale_y)
    for index, scale in ((0, scale_x), (2, scale_x), (4, scale_y), (5, scale_y)):
        scaled.k[index] *= scale
    for index, scale in ((0, scale_x), (2, scale_x), (3, scale_x), (5, scale_y), (6, scale_y), (7, scale_y)):
        scaled.p[index] *= scale
    scaled.roi.x_offset, scaled.roi.width = (int(value * scale_x) for value in (info.roi.x_offset, info.roi.width))
    scaled.roi.y_offset, scaled.roi.height = (int(value * scale_y) for value in (info.roi.y_offset, info.roi.height))
    return scaled


def camera_info_topic(node: Node, image_topic: str, name: str = 'camera_info') -> str:
    """Where the calibration of the images on `image_topic` is published: beside it, unless `name` is remapped.

    :param image_topic: full name, remapped already; '/compressed' at its end does not count
    """
    resolved = node.resolve_topic_name(name)
    if resolved != f'{node.get_namespace().rstrip("/")}/{name}':
        return resolved
    if image_topic.endswith(COMPRESSED):
        image_topic = image_topic[:-len(COMPRESSED)]
    return f'{image_topic.rpartition("/")[0]}/camera_info'
