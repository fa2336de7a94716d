# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights that are loaded anyway are not drawn at random first."""
from __future__ import annotations

import torch
from torch import nn

from fanet_ros.model.uninitialised import Uninitialised


def test_nothing_is_drawn_and_everything_else_is_unchanged() -> None:
    before = torch.get_rng_state()
    with Uninitialised():
        conv, norm = nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5)
    assert torch.equal(torch.get_rng_state(), before)
    assert conv.weight.shape == (5, 3, 3, 3) and conv.weight.requires_grad
    assert torch.equal(norm.weight, torch.ones(5)) and torch.equal(norm.running_var, torch.ones(5))
    nn.Conv2d(3, 5, 3)
    assert not torch.equal(torch.get_rng_state(), before)
