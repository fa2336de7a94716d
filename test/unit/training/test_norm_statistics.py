# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""BatchNorm statistics of new frames, and statistics that training leaves alone."""
from __future__ import annotations

import copy

import torch
from torch import nn

from fanet_ros.training.adaptation import freeze_norms, with_statistics_of


def network() -> nn.Sequential:
    """Two BatchNorms with a doubling between them."""
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(convolution.weight, 2.0)
    return nn.Sequential(nn.BatchNorm2d(1, eps=1e-9), convolution, nn.BatchNorm2d(1, eps=1e-9)).eval()


def test_every_norm_is_measured_behind_the_new_statistics_of_those_before_it() -> None:
    own = network()
    batches = [torch.tensor([1.0, 3.0]).view(1, 1, 1, 2), torch.tensor([5.0, 7.0]).view(1, 1, 1, 2)]
    found = [norm for norm in with_statistics_of(own, batches, torch.device('cpu')) if isinstance(norm, nn.BatchNorm2d)]
    # Means 2 and 6, variances 2 each; the first norm yields -1 and 1, doubled -2 and 2: mean 0, variance 8.
    torch.testing.assert_close([norm.running_mean.item() for norm in found], [4.0, 0.0])
    torch.testing.assert_close([norm.running_var.item() for norm in found], [2.0, 8.0])
    assert own[0].running_mean.item() == 0.0 and own[2].running_var.item() == 1.0     # unchanged
    assert not own.training and not own[0].training


def test_training_does_not_change_frozen_statistics() -> None:
    own = network()
    freeze_norms(own)
    twin = copy.deepcopy(own).train()
    images = torch.tensor([3.0, 5.0]).view(1, 1, 1, 2)
    torch.testing.assert_close(twin(images).flatten(), torch.tensor([6.0, 10.0]))       # still mean 0 and variance 1
    assert twin[0].running_mean.item() == 0.0 and twin[0].weight.requires_grad and twin.training
