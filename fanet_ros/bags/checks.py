# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the node's guarantees in a bag: every mask belongs to a camera frame and is well formed."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Sequence

from fanet_ros.bags.recording import RecordedImage, RecordedTiming

UNLABELLED = 255


@dataclass(frozen=True)
class BagChecks:
    """Numbers of masks that violate a guarantee; all zero in a sound bag.

    `before_recording` is not a fault: masks of frames from before the recording started.
    """

    masks: int
    before_recording: int
    without_camera_frame: int
    repeated: int
    wrong_size: int
    wrong_frame_id: int
    wrong_format: int
    unknown_class: int
    without_timing: int

    @property
    def faults(self) -> dict[str, int]:
        """Descriptions of the violations, with the number of masks of each."""
        counted = {
            'masks without their camera frame': self.without_camera_frame,
            'masks with a stamp seen before': self.repeated,
            'masks of another size than the camera frame': self.wrong_size,
            'masks with another frame_id than the camera frame': self.wrong_frame_id,
            'masks that are not tightly packed mono8': self.wrong_format,
            'masks with values that are not a class': self.unknown_class,
            'masks without a timing message': self.without_timing,
        }
        return {what: count for what, count in counted.items() if count}

    @property
    def passed(self) -> bool:
        return self.masks > 0 and not self.faults


def check_bag(camera: Sequence[RecordedImage], masks: Sequence[RecordedImage],
              timings: Sequence[RecordedTiming], class_count: int) -> BagChecks:
    """Compare masks with the camera frames of the same stamp; sizes are not checked for compressed frames."""
    frames = {image.stamp_ns: image for image in camera}
    start_ns = min(frames, default=0)
    timed = {timing.stamp_ns for timing in timings}
    joined = [(mask, frames[mask.stamp_ns]) for mask in masks if mask.stamp_ns in frames]
    early = sum(mask.stamp_ns < start_ns for mask in masks)
    stamps = Counter(mask.stamp_ns for mask in masks)
    return BagChecks(
        masks=len(masks),
        before_recording=early,
        without_camera_frame=len(masks) - len(joined) - early,
        repeated=sum(count - 1 for count in stamps.values()),
        wrong_size=sum(
            (mask.height, mask.width) != (frame.height, frame.width)
            for mask, frame in joined if frame.height),
        wrong_frame_id=sum(mask.frame_id != frame.frame_id for mask, frame in joined),
        wrong_format=sum(mask.encoding != 'mono8' or mask.step != mask.width for mask in masks),
        unknown_class=sum(
            any(class_count <= value != UNLABELLED for value in mask.values) for mask in masks),
        without_timing=sum(mask.stamp_ns not in timed for mask in masks))
