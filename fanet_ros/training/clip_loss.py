# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Network, normalisation and loss as one module, for DistributedDataParallel."""
from __future__ import annotations

from contextlib import nullcontext
from typing import Optional, Sequence

import torch
from torch import Tensor, nn

from fanet_ros.inference.engines.network_setup import DTYPES
from fanet_ros.inference.gpu import convolutions_searched
from fanet_ros.model import MIN_INPUT_PX, FANet, FrameContext
from fanet_ros.training.batches import Batch
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.losses import LabelMeaning, fanet_loss, soft_cross_entropy


class ClipLoss(nn.Module):
    """Mean loss over the frames of clips; each frame attends to the contexts of those before it.

    :param mean: of the normalisation, RGB, 0..1
    :param std: likewise
    :param settings: of which it uses the weights of the parts of the loss, and the memory format
    :param precision: of the forward pass: 'float32', 'bfloat16' or 'float16'
    """

    mean: Tensor
    std: Tensor
    _members: Optional[Tensor]
    _weights: Optional[Tensor]

    def __init__(self, network: FANet, mean: Sequence[float], std: Sequence[float], meaning: LabelMeaning,
                 settings: TrainingSettings, precision: str) -> None:
        super().__init__()
        self.network, self._dtype = network, DTYPES[precision]
        _freeze_unused(network, settings)
        self._smoothing, self._settings = meaning.smoothing, settings
        self._memory = torch.channels_last if settings.channels_last else torch.contiguous_format
        for name, value in (('mean', mean), ('std', std)):
            self.register_buffer(name, (torch.tensor(value) * 255).view(1, 3, 1, 1), persistent=False)
        self.register_buffer('_members', meaning.members, persistent=False)
        self.register_buffer('_weights', meaning.weights, persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """The mean loss of a batch, a scalar."""
        meaning = LabelMeaning(self._members, self._weights, self._smoothing)
        past: list[FrameContext] = []
        losses = []
        for time, (frames, labels) in enumerate(zip(batch.rgb, batch.labels)):
            images = (frames.permute(0, 3, 1, 2).float() - self.mean) / self.std           # (N, 3, H, W)
            with self._autocast(images.device.type):
                outputs = self.network.forward_with_aux(images.contiguous(memory_format=self._memory), past)
            past.append(outputs.context)
            losses.append(fanet_loss(outputs, labels.long(), meaning, auxiliary_weight=self._settings.auxiliary_weight,
                                     hard_below=self._settings.hard_below, border_weight=self._settings.border_weight))
            if batch.soft is not None and self._settings.soft_weight:
                losses[-1] = losses[-1] + self._settings.soft_weight * soft_cross_entropy(outputs.logits, batch.soft[time])
        return torch.stack(losses).mean()

    def _autocast(self, device_type: str) -> torch.autocast | nullcontext:
        if self._dtype == torch.float32:
            return nullcontext()
        # No cache: every weight is used once, and a recorded CUDA graph must not hold casts made before it.
        return torch.autocast(device_type, dtype=self._dtype, cache_enabled=False)


def _freeze_unused(network: FANet, settings: TrainingSettings) -> None:
    """Exclude parameters that the loss does not depend on: DistributedDataParallel would wait for their gradients.

    These are auxiliary heads without weight, and layers of the authors' code that they do not use.
    """
    training, parameters = network.training, list(network.parameters())
    images = torch.zeros(2, 3, MIN_INPUT_PX, MIN_INPUT_PX, device=parameters[0].device)
    network.eval()
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    with convolutions_searched(False):      # a search would take seconds, for a size that is not used again
        first = network.forward_with_aux(images)
        outputs = network.forward_with_aux(images, [first.context])
        used = [outputs.logits, outputs.aux_32, outputs.aux_16] if settings.auxiliary_weight else [outputs.logits]
        gradients: Sequence[Optional[Tensor]] = torch.autograd.grad([item.sum() for item in used], trained, allow_unused=True)
    for parameter, gradient in zip(trained, gradients):
        if gradient is None:
            parameter.requires_grad_(False)
    network.train(training)
