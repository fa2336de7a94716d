# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The active model: its input size, and rebuilding it for the same cameras."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
from two_classes import STREET

from fanet_ros.ros.segmentation.active_model import ActiveModel, build_segmenter
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


def test_input_scale_and_ladder_scale_are_multiplied(settings: SegmentationSettings) -> None:
    segmenter = build_segmenter(replace(settings, input_scale=0.5), 0.5)
    assert segmenter.input_sizes == ((64, 128),)
    segmenter.segment(np.zeros((100, 100, 3), np.uint8))    # 362 x 362 has as many pixels; a quarter of it
    assert segmenter.input_sizes[-1] == (96, 96)
    changed = replace(settings, input_height=512)
    active = ActiveModel(segmenter, changed, OutputStyle(STREET))
    assert build_segmenter(replace(changed, input_scale=0.25), 1.0, active).input_sizes[-1] == (128, 128)


def test_rebuilt_segmenter_is_ready_for_the_same_frame_sizes(settings: SegmentationSettings) -> None:
    present = build_segmenter(settings)
    for shape in ((100, 200, 3), (100, 100, 3)):
        present.segment(np.zeros(shape, np.uint8))
    active = ActiveModel(present, settings, OutputStyle(STREET))
    for changed, is_shared in ((settings, True), (replace(settings, precision='bfloat16'), False)):
        other = build_segmenter(changed, 1.0, active)
        assert other.frame_sizes == present.frame_sizes == ((100, 200), (100, 100))
        assert other.is_ready_for(100, 100) and (other.setup is present.setup) == is_shared
