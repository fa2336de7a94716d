# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bit depth of what a camera sends at present, not of what it or another one sent before."""
from __future__ import annotations

from typing import Iterable, Optional, Union

from rclpy.topic_endpoint_info import TopicEndpointInfo
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.images.bit_depth import BitDepth


class CameraDepth:
    """The BitDepth of one topic's images. It starts anew with another encoding, and with another publisher: a driver that was
    restarted may send fewer bits than before, and its images would stay nearly black.

    :param bits: see BitDepth
    """

    def __init__(self, bits: int = 0) -> None:
        self._bits, self._depth = bits, BitDepth(bits)
        self._encoding: Optional[tuple[str, bool]] = None
        self._publishers: set[tuple[int, ...]] = set()

    def of(self, message: Union[Image, CompressedImage]) -> BitDepth:
        """The depth for `message`, given what was sent before it."""
        is_file = isinstance(message, CompressedImage)
        encoding = (message.format, False) if is_file else (message.encoding, bool(message.is_bigendian))
        if encoding != self._encoding:
            self._depth, self._encoding = BitDepth(self._bits), encoding
        return self._depth

    def follow(self, publishers: Iterable[TopicEndpointInfo]) -> None:
        """Start anew with the next image if one of `publishers` is new; callable from another thread than of()."""
        present = {tuple(info.endpoint_gid) for info in publishers}
        if present - self._publishers:
            self._encoding = None
        self._publishers = present or self._publishers
