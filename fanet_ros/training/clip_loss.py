"""Network, normalisation and loss as one module, which several processes can share the work of."""
from __future__ import annotations

from contextlib import nullcontext
from typing import Optional, Sequence

import torch
from torch import Tensor, nn

from fanet_ros.model import FANet, FrameContext
from fanet_ros.training.losses import fanet_loss

DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


class ClipLoss(nn.Module):
    """Mean loss over the frames of clips, each frame seeing the contexts of those before it.

    :param mean: of the normalisation, RGB, 0..1
    :param class_weights: (C,) or None
    :param precision: of the forward pass: 'float32', 'bfloat16' or 'float16'
    """

    def __init__(self, network: FANet, mean: Sequence[float], std: Sequence[float], class_weights: Optional[Tensor],
                 label_smoothing: float, precision: str, channels_last: bool) -> None:
        super().__init__()
        self.network, self._label_smoothing, self._dtype = network, label_smoothing, DTYPES[precision]
        self._memory = torch.channels_last if channels_last else torch.contiguous_format
        for name, value in (('mean', mean), ('std', std)):
            self.register_buffer(name, (torch.tensor(value) * 255).view(1, 3, 1, 1), persistent=False)
        self.register_buffer('class_weights', class_weights, persistent=False)

    def forward(self, rgb: Tensor, labels: Tensor) -> Tensor:
        """rgb (T, N, H, W, 3) uint8, labels (T, N, H, W) uint8 -> the loss, a scalar."""
        past: list[FrameContext] = []
        losses = []
        for frames, truth in zip(rgb, labels):
            images = (frames.permute(0, 3, 1, 2).float() - self.mean) / self.std           # (N, 3, H, W)
            with self._autocast(images.device.type):
                outputs = self.network.forward_with_aux(images.contiguous(memory_format=self._memory), past)
            past.append(outputs.context)
            losses.append(fanet_loss(outputs, truth.long(), self.class_weights, self._label_smoothing))
        return torch.stack(losses).mean()

    def _autocast(self, device_type: str) -> 'torch.autocast | nullcontext':
        return nullcontext() if self._dtype == torch.float32 else torch.autocast(device_type, dtype=self._dtype)
