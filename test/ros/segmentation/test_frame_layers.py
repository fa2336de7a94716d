# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of a frame."""
from __future__ import annotations

import cv2
import numpy as np

from fanet_ros.images.raw_image import RawImage
from fanet_ros.inference import FrameInput, Segmentation
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.segmentation import StageTimes
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.output_style import OutputStyle


def test_overlay_of_a_frame_that_was_reduced_on_decoding_has_its_full_size() -> None:
    """As for a subscriber that came while the frame was in the network."""
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    labels = np.zeros((40, 60), np.uint8)
    style = OutputStyle(ClassMap('one', ('road',), ((10, 20, 30),)))
    overlay = FrameLayers(FrameInput(RawImage.of_rgb(rgb, (40, 60))), Segmentation(labels, None, StageTimes(0, 0, 0), 20, 30),
                          style).overlay
    background = cv2.resize(rgb, (60, 40), interpolation=cv2.INTER_LINEAR)
    expected = FrameLayers(FrameInput(background), Segmentation(labels, None, StageTimes(0, 0, 0), 20, 30), style).overlay
    assert overlay.shape == (40, 60, 3) and np.array_equal(overlay, expected)
