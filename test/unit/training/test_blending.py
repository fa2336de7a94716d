# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blends of two networks."""
from __future__ import annotations

from dataclasses import replace

import torch

from fanet_ros.datasets.layouts import find_class_map
from fanet_ros.model import Checkpoint, CheckpointMetadata
from fanet_ros.training.adaptation import blend

CLASSES = find_class_map('camvid11')
METADATA = CheckpointMetadata('fanet18', 'paper', 'camvid11', CLASSES.names, CLASSES.colors, (96, 128))


def test_weights_and_statistics_are_blended() -> None:
    old, new = (Checkpoint(METADATA.build_network(), metadata) for metadata in (METADATA, replace(METADATA, data='new')))
    new.network.resnet.bn1.running_mean.fill_(4.0)
    before = {name: value.clone() for name, value in old.network.state_dict().items()}
    for share in (0.0, 0.25, 1.0):
        found = blend(old, new, share)
        assert found.metadata == METADATA and not found.network.training
        assert found.network.resnet.bn1.running_mean.unique().tolist() == [4 * share]
        expected = (1 - share) * before['clslayer.conv_out.weight'] + share * new.network.clslayer.conv_out.weight
        torch.testing.assert_close(found.network.clslayer.conv_out.weight, expected)
    torch.testing.assert_close(old.network.state_dict(), before)
