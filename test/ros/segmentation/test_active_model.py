# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The active model: its input size, and rebuilding it for the same cameras."""
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fanet_ros.inference import ClassMap
from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.ros.segmentation.active_model import ActiveModel, build_segmenter
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

STREET = ClassMap('two', ('road', 'sky'), ((10, 20, 30), (40, 50, 60)))


@pytest.fixture(name='settings', scope='module')
def settings_fixture(tmp_path_factory: pytest.TempPathFactory) -> SegmentationSettings:
    """Defaults, except for a small network."""
    metadata = CheckpointMetadata('fanet18', 'paper', STREET.name, STREET.names, STREET.colors, (256, 512))
    path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
    save_checkpoint(path, metadata.build_network(), metadata)
    return SegmentationSettings(resolution_ladder=(1.0, 0.5), checkpoint=str(path), device='cpu', engine='torch')


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
