# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Opens the source that a string names."""
from __future__ import annotations

import logging
from pathlib import Path
from typing import Iterator

from fanet_ros.sources.files import FolderSource, VideoSource
from fanet_ros.sources.frame import Frame, FrameSource, SourceError
from fanet_ros.sources.street.street import SyntheticStreet
from fanet_ros.video_device import video_device

LOG = logging.getLogger(__name__)


class StreetSource(FrameSource):
    """The synthetic street as an endless source with ground-truth labels."""

    has_labels = True

    def __init__(self, street: SyntheticStreet, rate_hz: float) -> None:
        self.name, self.rate_hz, self._street = 'street', rate_hz, street

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            yield self._street.frame(index)
            index += 1


def open_source(source: str, *, width: int = 0, height: int = 0, rate_hz: float = 15.0, loop: bool = False,
                seed: int = 0) -> FrameSource:
    """Open 'street', a video file, a folder of images, or a V4L2 device ('/dev/video0', '0', or a link to it).

    :param width: of the frames in px, like height; 0: native size (street: 480x360)
    :param rate_hz: frame rate of the street's motion
    :param loop: start again after the end of a video or folder
    :param seed: of the street
    :raises SourceError: there is no such source, or it cannot be read
    """
    if source == 'street':
        if Path(source).exists():
            LOG.warning("'street' means the synthetic street; for the folder or file of that name use ./street")
        return StreetSource(SyntheticStreet(width or 480, height or 360, seed, rate_hz), rate_hz)
    device = video_device(source)
    if device is not None:
        return VideoSource(device, width, height)
    path = Path(source).expanduser()
    if path.is_dir():
        return FolderSource(path, width, height, loop)
    if path.is_file():
        return VideoSource(path, width, height, loop)
    raise SourceError(f"source {source!r} not found: expected 'street', a video file, a folder of images or /dev/videoN")
