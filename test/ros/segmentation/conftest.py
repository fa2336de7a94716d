# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the segmentation node."""
from __future__ import annotations

import pytest
from two_classes import STREET

from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


@pytest.fixture(name='settings', scope='module')
def settings_fixture(tmp_path_factory: pytest.TempPathFactory) -> SegmentationSettings:
    """Defaults, except for a small network."""
    metadata = CheckpointMetadata('fanet18', 'paper', STREET.name, STREET.names, STREET.colors, (256, 512))
    path = tmp_path_factory.mktemp('weights') / 'small.safetensors'
    save_checkpoint(path, metadata.build_network(), metadata)
    return SegmentationSettings(resolution_ladder=(1.0, 0.5), checkpoint=str(path), device='cpu', engine='torch')
