# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment the images of a bag in order; used for single bags and for archives."""
from __future__ import annotations

import itertools
from typing import Iterator, Optional

from fanet_ros.bags.camera_reader import BagImage
from fanet_ros.inference import FrameInput, Segmentation, Segmenter


def segmented(images: Iterator[BagImage], segmenter: Segmenter,
              confidence: bool = False) -> Iterator[tuple[BagImage, Optional[Segmentation]]]:
    """Yield each image with its segmentation, None if it could not be decoded; a few images are read ahead.

    :param confidence: also compute the confidence of each pixel; the labels do not change
    """
    kept, sent = itertools.tee(images)
    frames = (None if image.rgb is None else FrameInput(image.rgb, confidence, stamp_s=image.stamp_s, camera=image.topic)
              for image in sent)
    return zip(kept, segmenter.segment_stream(frames))
