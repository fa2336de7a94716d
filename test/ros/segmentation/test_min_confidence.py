# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels below min_confidence become unlabelled consistently in every output."""
import cv2
import numpy as np
from two_classes import STREET

from fanet_ros.inference import UNLABELLED, FrameInput, Segmentation, StageTimes
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.output_style import OutputStyle

LABELS = np.array([[0, 1], [1, 0]], np.uint8)
CONFIDENCE = np.array([[255, 100], [127, 128]], np.uint8)
RGB = np.full((2, 2, 3), 200, np.uint8)


def layers(min_confidence: float) -> FrameLayers:
    return FrameLayers(FrameInput(RGB), Segmentation(LABELS, CONFIDENCE, StageTimes(0.0, 0.0, 0.0), 64, 64),
                       OutputStyle(STREET, overlay_alpha=1.0, min_confidence=min_confidence))


def test_uncertain_pixels_are_unlabelled_in_mask_confidence_and_overlay() -> None:
    filtered = layers(0.5)
    assert filtered.mask.tolist() == [[0, UNLABELLED], [UNLABELLED, 0]]
    assert filtered.confidence.tolist() == [[255, 0], [0, 128]]
    assert filtered.overlay[0, 0].tolist() == [10, 20, 30] and filtered.overlay[0, 1].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(filtered.mask_png, np.uint8), cv2.IMREAD_UNCHANGED), filtered.mask)
    assert filtered.doubtful_share == 0.5


def test_overlay_is_drawn_on_the_gpu_only_without_min_confidence() -> None:
    assert OutputStyle(STREET, min_confidence=0.5).overlay_colors is None
    colors = OutputStyle(STREET, overlay_alpha=0.25).overlay_colors
    assert colors.palette[:2].tolist() == [[10, 20, 30], [40, 50, 60]] and colors.alpha == 0.25


def test_without_limit_the_mask_is_unchanged_and_unlabelled_is_not_in_the_class_map() -> None:
    unfiltered = layers(0.0)
    assert unfiltered.mask.tolist() == LABELS.tolist() and unfiltered.doubtful_share is None
    names = [[item.name for item in OutputStyle(STREET, min_confidence=value).table.classes] for value in (0.0, 0.5)]
    assert names == [['road', 'sky'], ['road', 'sky', 'unlabelled']]
