# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the segmentation node, and a model that runs with them."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
from two_classes import STREET

from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


@pytest.fixture(name='settings', scope='module')
def settings_fixture(tmp_path_factory: pytest.TempPathFactory) -> SegmentationSettings:
    """Defaults, except for a small network."""
    metadata = CheckpointMetadata('fanet18', 'paper', STREET.name, STREET.names, STREET.colors, (256, 512))
    path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
    save_checkpoint(path, metadata.build_network(), metadata)
    return SegmentationSettings(resolution_ladder=(1.0, 0.5), checkpoint=str(path), device='cpu', engine='torch')


@pytest.fixture(name='switch')
def switch_fixture(settings: SegmentationSettings) -> Iterator[ModelSwitch]:
    switch = ModelSwitch(lambda: None, lambda _: None)
    switch.load(settings)
    yield switch
    switch.close()
