# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of a bag through the network, in their order: the same for one bag and for an archive."""
from __future__ import annotations

import itertools
from typing import Iterator, Optional

from fanet_ros.bags.camera_reader import BagImage
from fanet_ros.inference import FrameInput, Segmentation, Segmenter


def segmented(images: Iterator[BagImage], segmenter: Segmenter,
              confidence: bool = False) -> Iterator[tuple[BagImage, Optional[Segmentation]]]:
    """Each image with what the network says of it, None for one that could not be decoded; a few images are read ahead.

    :param confidence: also ask for the probability of each pixel's class; the labels are the same
    """
    kept, sent = itertools.tee(images)
    frames = (None if image.rgb is None else FrameInput(image.rgb, confidence, stamp_s=image.stamp_s, camera=image.topic)
              for image in sent)
    return zip(kept, segmenter.segment_stream(frames))
