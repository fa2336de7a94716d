# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of which the network is not sure become unlabelled, in every output alike."""
import cv2
import numpy as np

from fanet_ros.inference import UNLABELLED, ClassMap, FrameInput, Segmentation, StageTimes
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.output_style import OutputStyle

STREET = ClassMap('two', ('road', 'sky'), ((10, 20, 30), (40, 50, 60)))
LABELS = np.array([[0, 1], [1, 0]], np.uint8)
CONFIDENCE = np.array([[255, 100], [127, 128]], np.uint8)
RGB = np.full((2, 2, 3), 200, np.uint8)


def layers(min_confidence: float) -> FrameLayers:
    return FrameLayers(FrameInput(RGB), Segmentation(LABELS, CONFIDENCE, StageTimes(0.0, 0.0, 0.0), 64, 64),
                       OutputStyle(STREET, overlay_alpha=1.0, min_confidence=min_confidence))


def test_less_sure_pixels_are_unlabelled_in_mask_confidence_and_overlay() -> None:
    doubted = layers(0.5)
    assert doubted.mask.tolist() == [[0, UNLABELLED], [UNLABELLED, 0]]
    assert doubted.confidence.tolist() == [[255, 0], [0, 128]]
    assert doubted.overlay[0, 0].tolist() == [10, 20, 30] and doubted.overlay[0, 1].tolist() == [0, 0, 0]
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(doubted.mask_png, np.uint8), cv2.IMREAD_UNCHANGED), doubted.mask)
    assert doubted.doubtful_share == 0.5


def test_a_gpu_draws_the_overlay_only_where_no_pixel_is_doubted() -> None:
    assert OutputStyle(STREET, min_confidence=0.5).overlay_colors is None
    colors = OutputStyle(STREET, overlay_alpha=0.25).overlay_colors
    assert colors.palette[:2].tolist() == [[10, 20, 30], [40, 50, 60]] and colors.alpha == 0.25


def test_off_nothing_changes_and_the_class_map_names_unlabelled_only_where_it_can_occur() -> None:
    sure = layers(0.0)
    assert sure.mask.tolist() == LABELS.tolist() and sure.doubtful_share is None
    names = [[item.name for item in OutputStyle(STREET, min_confidence=value).table.classes] for value in (0.0, 0.5)]
    assert names == [['road', 'sky'], ['road', 'sky', 'unlabelled']]
