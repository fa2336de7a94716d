# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blends of a network and the same network after it was changed.

Part of the way from old weights to fine-tuned ones often generalises better than either end (Wortsman et al., arXiv 2109.01903);
likewise for BatchNorm statistics, of which those of few frames are noisy (Schneider et al., arXiv 2006.16971).
"""
from __future__ import annotations

import copy

import torch

from fanet_ros.model import Checkpoint


def blend(old: Checkpoint, new: Checkpoint, share: float) -> Checkpoint:
    """Weights and statistics between those of `old` (a share of 0) and of `new` (1); the rest is taken from `old`."""
    network = copy.deepcopy(old.network)
    with torch.no_grad():
        for target, other in zip(network.state_dict().values(), new.network.state_dict().values()):
            if target.is_floating_point():
                target.lerp_(other.to(target.device), share)
    return Checkpoint(network.eval(), old.metadata)
