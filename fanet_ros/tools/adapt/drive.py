# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of a drive: most of them for adapting, the end of each quarter for judging the result."""
from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Sequence

import cv2
import numpy as np

from fanet_ros.datasets import DatasetError
from fanet_ros.datasets.frame_set import FrameSet, gather_frames, is_blank
from fanet_ros.datasets.source_frames import SourceFrame, SourceRequest, spread
from fanet_ros.evaluation.views import FramePair

LARGEST = 1.5           # times the side of the network's input: larger frames are reduced to this
LEAST_FRAMES = 8
HELD_OUT_SHARE = 0.2    # of the frames, for judging
PARTS = 4               # of the drive, each with held-out frames: its places and its light differ
LEAST_PART = 8          # frames
GAP_SHARE = 0.01        # of the frames on either side of held-out ones, which are not used


@dataclass(frozen=True)
class Drive:
    """Frames of one source, on disk, in order.

    :param source: its name
    """

    frames: FrameSet
    source: str

    @property
    def held_out(self) -> list[int]:
        """Numbers of the frames for judging: the end of each part, since neighbours of single ones would be too similar."""
        return [int(number) for part in self._split() for number in part[len(part) - _held_out_of(part):]]

    @property
    def learnt(self) -> list[int]:
        """Numbers of the frames for adapting: all others but those close to the ones for judging."""
        gap, held_out = max(round(GAP_SHARE * self.frames.count), 1), self.held_out
        near = {number + step for number in held_out for step in range(-gap, gap + 1)}
        return [number for number in range(self.frames.count) if number not in near]

    def _split(self) -> list[np.ndarray]:
        return np.array_split(np.arange(self.frames.count), max(min(PARTS, self.frames.count // LEAST_PART), 1))

    @property
    def held_out_pairs(self) -> list[FramePair]:
        """The frames for judging, with those before them."""
        return self._pairs(self.held_out)

    def some_pairs(self, count: int) -> list[FramePair]:
        """At most `count` of the frames for adapting, evenly spaced, with those before them."""
        return self._pairs([self.learnt[index] for index in spread(len(self.learnt), count)])

    def _pairs(self, numbers: Sequence[int]) -> list[FramePair]:
        return [FramePair.of(self.frames.frame(number)) for number in numbers]


def _held_out_of(part: np.ndarray) -> int:
    return max(round(HELD_OUT_SHARE * len(part)), 1)


def gather_drive(folder: Path, request: SourceRequest, size: tuple[int, int], *, quiet: bool = False) -> Drive:
    """The frames in `folder` if they are complete; otherwise reads them from the source and writes them there.

    :param size: height and width [px] of the network's input
    :raises ValueError: the source cannot be used, or has too few frames that are not blank
    :raises OSError: `folder` cannot be written
    """
    if request.frames < LEAST_FRAMES:
        raise DatasetError(f'--frames is {request.frames}: expected at least {LEAST_FRAMES}')
    blank = 0

    def change(frame: SourceFrame) -> Optional[SourceFrame]:
        nonlocal blank
        if is_blank(frame.rgb):
            blank += 1
            return None
        return replace(frame, rgb=_reduced(frame.rgb, size), earlier=tuple(_reduced(rgb, size) for rgb in frame.earlier))
    try:
        frames = gather_frames(folder, request, change=change, quiet=quiet)
        count = frames.count
    except DatasetError:
        if not blank:
            raise
        count = 0
    if count < LEAST_FRAMES:
        shutil.rmtree(folder)
        text = f', and {blank} blank ones (all of one brightness)' if blank else ''
        raise DatasetError(f'{request.source} has {count} usable frames{text}: expected at least {LEAST_FRAMES}; record a drive '
                           'of some minutes through what the robot will see')
    return Drive(frames, Path(request.source).name)


def _reduced(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    scale = LARGEST * (size[0] * size[1] / (rgb.shape[0] * rgb.shape[1])) ** 0.5
    if scale >= 1:
        return rgb
    width, height = (max(round(side * scale), 1) for side in (rgb.shape[1], rgb.shape[0]))
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
