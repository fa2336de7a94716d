# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames from a video file, a folder of images or a V4L2 device."""
from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Callable, Collection, Iterable, Iterator, Optional, Union

import cv2
import numpy as np

from fanet_ros.images.files import IMAGE_SUFFIXES, read_bgr
from fanet_ros.images.folder_bit_depth import FolderBitDepth
from fanet_ros.natural_order import natural_key
from fanet_ros.sources.frame import Frame, FrameSource, SourceError


class VideoSource(FrameSource):
    """A video file, or a V4L2 device given by its number. Width and height in px; 0: native size.

    :raises SourceError: it cannot be opened or read
    """

    def __init__(self, source: Union[Path, int], width: int = 0, height: int = 0, loop: bool = False) -> None:
        self.name, self._source, self._size, self._loop = str(source), source, (width, height), loop
        self._is_device = isinstance(source, int)
        self._capture = cv2.VideoCapture(source if isinstance(source, int) else str(source))
        if self._is_device and width and height:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        if not self._capture.isOpened() or not self._capture.grab():
            raise SourceError(
                f'no camera answers at /dev/video{source}: check the path, the permissions, and whether another program uses it'
                if self._is_device else f'{source} is not a readable video: check the path, the permissions and the format')
        self._first: Optional[np.ndarray] = self._capture.retrieve()[1]
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = rate_hz if 0 < rate_hz < math.inf else None       # drivers that do not know it say 0, -1 or NaN

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        bgr = self._first
        while True:
            if bgr is None:
                if self._is_device:
                    raise SourceError(f'the camera /dev/video{self.name} no longer delivers images')
                if not self._loop or index == 0:
                    return
                self._capture.release()         # opened again: files without an index cannot be rewound, others not to the begin
                self._capture = cv2.VideoCapture(str(self._source))
                bgr = self._read()
                if bgr is None:
                    raise SourceError(f'{self.name} can no longer be read: check whether it was moved or replaced')
            yield Frame(_to_rgb(bgr, *self._size), None, index)
            index += 1
            bgr = self._read()

    def close(self) -> None:
        self._capture.release()

    def _read(self) -> Union[np.ndarray, None]:
        ok, bgr = self._capture.read()
        return bgr if ok else None


class FolderSource(FrameSource):
    """The images of a folder in natural order, all resized to the first one's size, or to the requested one (px, 0: none).

    :raises SourceError: the folder holds no images
    """

    def __init__(self, folder: Path, width: int = 0, height: int = 0, loop: bool = False) -> None:
        self.name, self._size, self._loop = str(folder), (width, height), loop
        self._paths = sorted((path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES),
                             key=lambda path: natural_key(path.name))
        if not self._paths:
            raise SourceError(f'no images in {folder}: expected files ending in {", ".join(IMAGE_SUFFIXES)}')
        self._depth = FolderBitDepth(self._paths)
        self.length = None if loop else len(self._paths)

    def __iter__(self) -> Iterator[Frame]:
        def skip(path: Path) -> None:
            warnings.warn(f'{path} is not a readable image: skipped', stacklevel=2)

        index = 0
        while True:
            before = index
            for _, rgb in self._read(range(len(self._paths)), skip):
                yield Frame(rgb, None, index)
                index += 1
            if index == before:
                raise SourceError(f'none of the {len(self._paths)} images in {self.name} can be read')
            if not self._loop:
                return

    def only(self, numbers: Collection[int], unreadable: list[str]) -> Iterator[Frame]:
        """The images with these numbers, in natural order from 0, without reading the others.

        :param unreadable: names of those that cannot be read are added to it
        :raises SourceError: none of them can be read
        """
        for number, rgb in self._read(sorted(numbers), lambda path: unreadable.append(path.name)):
            yield Frame(rgb, None, number)
        if len(unreadable) == len(numbers):
            raise SourceError(f'none of the {len(numbers)} images in {self.name} that were tried can be read')

    def _read(self, numbers: Iterable[int], skip: Callable[[Path], None]) -> Iterator[tuple[int, np.ndarray]]:
        """Number and RGB of each readable image, all of the first one's size unless one was requested.

        :param skip: called with each of the others
        """
        width, height = self._size
        for number in numbers:
            bgr = read_bgr(self._paths[number], self._depth)
            if bgr is None:
                skip(self._paths[number])
                continue
            width, height = width or bgr.shape[1], height or bgr.shape[0]
            yield number, _to_rgb(bgr, width, height)


def _to_rgb(bgr: np.ndarray, width: int, height: int) -> np.ndarray:
    size = (width or bgr.shape[1], height or bgr.shape[0])
    if size != (bgr.shape[1], bgr.shape[0]):
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA if size[0] < bgr.shape[1] else cv2.INTER_LINEAR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
