# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starting from other weights: a deeper network starts as the same function as the shallower one."""
import dataclasses

import pytest
import torch

from fanet_ros.model import Checkpoint, CheckpointMetadata
from fanet_ros.training.initial_weights import start_from

NAMES = ('road', 'car')
FANET18 = CheckpointMetadata('fanet18', 'paper', 'two', NAMES, ((0, 0, 0), (9, 9, 9)), (64, 64))
FANET34 = dataclasses.replace(FANET18, variant='fanet34')


def trained(metadata: CheckpointMetadata) -> Checkpoint:
    """A checkpoint whose BatchNorms have seen data, so that nothing is an identity by accident."""
    torch.manual_seed(1)
    network = metadata.build_network().train()
    with torch.no_grad():
        network(torch.randn(2, 3, 128, 128))
    return Checkpoint(network.eval(), metadata)


def test_fanet34_starts_as_fanet18():
    shallow = trained(FANET18)
    deep = FANET34.build_network(aux_heads=True).eval()
    line = start_from(deep, FANET34, shallow, 'shallow')
    images = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        torch.testing.assert_close(deep(images), shallow.network(images))
    assert '8 blocks start as the identity' in line
    assert 'resnet' not in line


def test_added_blocks_can_learn():
    deep = FANET34.build_network(aux_heads=True).train()
    start_from(deep, FANET34, trained(FANET18), 'shallow')
    deep(torch.randn(2, 3, 128, 128)).square().mean().backward()
    assert deep.resnet.layer3[5].bn2.weight.grad.abs().max() > 0


def test_shallower_network_is_rejected():
    with pytest.raises(ValueError, match='deep is a fanet34, the recipe trains a fanet18'):
        start_from(FANET18.build_network(aux_heads=True), FANET18, trained(FANET34), 'deep')
