# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a training on a GPU relies on, as far as it can be seen without one."""
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fanet_ros.model import FANet, FANetOutputs, FrameContext
from fanet_ros.training.clip_loss import ClipLoss
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.losses import LabelMeaning, fanet_loss, soft_cross_entropy


class OfTheCpu(TorchDispatchMode):
    """Collects the operations that take or return a tensor of the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if any(isinstance(item, torch.Tensor) and item.device.type == 'cpu' for item in tree_leaves((args, kwargs, result))):
            self.found.append(func._schema.name)
        return result


@pytest.mark.parametrize('of_several_classes', [True, False])
def test_the_losses_neither_wait_for_a_device_nor_copy_to_it(of_several_classes: bool) -> None:
    """As a CUDA graph requires: on the device `meta`, whose tensors have no values to wait for, such operations fail."""
    with torch.device('meta'), OfTheCpu() as of_the_cpu:
        logits, context = torch.empty(2, 11, 6, 8, requires_grad=True), torch.empty(2, 64, 32)
        outputs = FANetOutputs(logits, torch.empty(2, 11, 1, 1), torch.empty(2, 11, 2, 2), FrameContext(*[context] * 4))
        meaning = LabelMeaning(torch.empty(13, 11, dtype=torch.bool) if of_several_classes else None, torch.empty(13), 0.1)
        loss = fanet_loss(outputs, torch.empty(2, 45, 61, dtype=torch.int64), meaning, border_weight=2.0)
        (loss + soft_cross_entropy(logits, torch.empty(2, 6, 8, 11, dtype=torch.uint8))).backward()
    assert logits.grad is not None and not of_the_cpu.found


def test_convolutions_are_not_searched_for_a_size_that_is_not_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, 'benchmark', True)
    network, searched = FANet(3, aux_heads=True), []
    network.resnet.conv1.register_forward_pre_hook(lambda *_: searched.append(torch.backends.cudnn.benchmark))
    ClipLoss(network, (0.5,) * 3, (0.2,) * 3, LabelMeaning(), TrainingSettings(), 'float32')
    assert searched and not any(searched) and torch.backends.cudnn.benchmark
