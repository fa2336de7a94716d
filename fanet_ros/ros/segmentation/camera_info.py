# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration for the mask: the camera's CameraInfo matched to each image and scaled to the mask's size."""
from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from typing import Optional

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fanet_ros.images.stamps import stamp_ns
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX

# Two seconds of a 30 Hz camera: longer than any frame waits.
KEPT = 64
ROI_SLACK_PX = 1


class CameraInfos:
    """The newest KEPT CameraInfo messages of one camera. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_stamp: OrderedDict[int, CameraInfo] = OrderedDict()

    def put(self, info: CameraInfo) -> None:
        """Keep `info`; drops the oldest message if there are more than KEPT."""
        with self._lock:
            stamp = stamp_ns(info.header)
            self._by_stamp.pop(stamp, None)
            self._by_stamp[stamp] = info
            if len(self._by_stamp) > KEPT:
                self._by_stamp.popitem(last=False)

    def find(self, header: Header, height: int, width: int) -> Optional[CameraInfo]:
        """The message with the image's stamp, else the newest with its frame_id; None if none is for images of this size.

        An empty frame_id on either side matches any. A calibration with size 0x0 is assumed to be for the image's size.

        :param header: of the image
        :param height: of the image in px, like `width`
        """
        found = next((info for info in self._candidates(header) if _misfit(info, header, height, width) == ''), None)
        if found is not None and not any(image_size(found)):
            found = copy.deepcopy(found)
            found.height, found.width = height, width
        return found

    def rejection_reason(self, header: Header, height: int, width: int, topic: str) -> str:
        """Short reason why find() returns None; `topic` is where the messages are expected."""
        nearest = next(iter(self._candidates(header)), None)
        return f'nothing received on {topic}' if nearest is None else _misfit(nearest, header, height, width)

    def _candidates(self, header: Header) -> list[CameraInfo]:
        with self._lock:
            exact = self._by_stamp.get(stamp_ns(header))
            newest = list(reversed(self._by_stamp.values()))
        return ([exact] if exact else []) + newest


def _misfit(info: CameraInfo, header: Header, height: int, width: int) -> str:
    """Short reason why `info` is not for an image with this header and size; '' if it is."""
    own, expected = info.header.frame_id, header.frame_id
    if own and expected and own != expected:
        return f'camera_info has frame_id {own!r}, the image {expected!r}'
    size = image_size(info)
    if not any(size):
        return '' if info.k[0] else 'uncalibrated: camera_info has neither size nor focal length'
    if max(abs(size[0] - height), abs(size[1] - width)) > ROI_SLACK_PX:
        return f'camera_info is for {size[1]}x{size[0]} images, these are {width}x{height}'
    return ''


def image_size(info: CameraInfo) -> tuple[int, int]:
    """Height and width in px of the images that `info` describes: the sensor's region of interest after binning."""
    height, width = _part(info.roi.height, info.height), _part(info.roi.width, info.width)
    return height // max(info.binning_y, 1), width // max(info.binning_x, 1)


def _part(region: int, whole: int) -> int:
    """Size of the region; one pixel short counts as the whole, because some drivers give the last index instead of the size."""
    return whole if not region or 0 < whole - region <= ROI_SLACK_PX else region


def scaled_camera_info(info: CameraInfo, header: Header, height: int, width: int) -> CameraInfo:
    """Calibration for the image of `info` resized to `height` x `width` px, computed like image_proc's ResizeNode.

    Scales focal lengths, principal point and stereo baseline in K and P, the size and the region of interest;
    distortion, rectification and binning are unchanged.

    :param header: of the returned message
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


def camera_info_topic(node: Node, image_topic: str, camera: str = '') -> str:
    """Topic of the calibration for `image_topic`: camera_info in the same namespace, unless `camera_info` is remapped.

    :param image_topic: full name after remapping; a trailing '/compressed' is ignored
    :param camera: name of the camera, whose `NAME/camera_info` may be remapped; '' for a single camera
    """
    name = f'{camera}/camera_info' if camera else 'camera_info'
    resolved = node.resolve_topic_name(name)
    if resolved != f'{node.get_namespace().rstrip("/")}/{name}':
        return resolved
    image_topic = image_topic.removesuffix(COMPRESSED_SUFFIX)
    return f'{image_topic.rpartition("/")[0]}/camera_info'
