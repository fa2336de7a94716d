# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From logits at 1/8 of the input resolution to labels at the frame's size: bilinear upsampling, then argmax."""
from __future__ import annotations

import warnings
from functools import cache, lru_cache
from typing import Callable, NamedTuple, Optional

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.error_text import error_text
from fanet_ros.inference.gpu import synchronize, to_host
from fanet_ros.inference.segmentation import FrameInput, OverlayColors
from fanet_ros.inference.upsampled_labels import upsampled_labels

LayerTensors = tuple[torch.Tensor, Optional[torch.Tensor], Optional[torch.Tensor]]     # the fields of Layers


class Layers(NamedTuple):
    """Results for a frame: labels and, if requested, confidence, both (H, W) uint8, and overlay, (H, W, 3) uint8 RGB."""

    labels: torch.Tensor
    confidence: Optional[torch.Tensor] = None
    overlay: Optional[torch.Tensor] = None

    def to_host(self) -> Layers:
        """Copy everything to the host; from a GPU it is complete once the current stream has reached this point."""
        confidence, overlay = (None if item is None else to_host(item) for item in (self.confidence, self.overlay))
        return Layers(to_host(self.labels), confidence, overlay)


def labels_and_confidence(logits: torch.Tensor, size: tuple[int, int],
                          with_confidence: bool) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """Labels and, if requested, the probability of each pixel's class times 255; both (H, W) uint8 at `size`.

    :param logits: (1, C, h, w) on any device
    """
    layers = _labels(logits, size, with_confidence).to_host()
    synchronize(logits.device)
    return layers.labels.numpy(), None if layers.confidence is None else layers.confidence.numpy()


def on_device(logits: torch.Tensor, frame: FrameInput, image: Optional[torch.Tensor] = None) -> Layers:
    """Postprocess a frame; the results stay on the device of the logits, without waiting for a GPU.

    :param logits: (1, C, h, w)
    :param image: RGB (H, W, 3) uint8 on the same device, to draw the overlay on; None: no overlay
    """
    return _labels(logits, frame.size, frame.confidence, image, None if image is None else frame.overlay)


def _labels(logits: torch.Tensor, size: tuple[int, int], with_confidence: bool, image: Optional[torch.Tensor] = None,
            colors: Optional[OverlayColors] = None) -> Layers:
    with torch.inference_mode():
        if logits.device.type == 'cpu' and colors is None:      # the same labels with and without confidence
            labels, confidence = upsampled_labels(logits[0].float().contiguous().numpy(), size, with_confidence)
            return Layers(torch.from_numpy(labels), None if confidence is None else torch.from_numpy(confidence))
        palette = None if colors is None else _palette_on(logits.device, colors.palette.tobytes())
        alpha = 0.0 if colors is None else colors.alpha
        one_pass = _one_pass(logits.device) if logits.is_cuda else None
        return Layers(*(one_pass or layer_by_layer)(logits, size, with_confidence, image, palette, alpha))


def layer_by_layer(logits: torch.Tensor, size: tuple[int, int], with_confidence: bool, frame: Optional[torch.Tensor] = None,
                   palette: Optional[torch.Tensor] = None, alpha: float = 0.0) -> LayerTensors:
    """Labels, confidence and overlay with PyTorch, on any device; None for what is not requested.

    :param palette: (256, 3) uint8 RGB by class index, for an overlay on `frame` (H, W, 3) uint8
    :param alpha: 0 (frame) .. 1 (colours)
    """
    full = F.interpolate(logits.float(), size, mode='bilinear', align_corners=True)[0]      # (C, H, W)
    best, index = full.max(0)           # (H, W); argmax() is far slower
    labels, confidence, overlay = index.to(torch.uint8), None, None
    if with_confidence:
        confidence = _confidence(full, best)
    if palette is not None and frame is not None:
        mixed = torch.lerp(frame.float(), palette[index].float(), alpha)
        overlay = (mixed + 0.5).to(torch.uint8)
    return labels, confidence, overlay


def _confidence(full: torch.Tensor, best: torch.Tensor) -> torch.Tensor:
    """Probability of the best class times 255, (H, W) uint8, from logits `full` (C, H, W) and their maximum `best` (H, W)."""
    probability = 1 / torch.exp(full - best).sum(0)     # softmax of the best class
    return (probability * 255 + 0.5).to(torch.uint8)


@lru_cache(maxsize=16)
def _palette_on(device: torch.device, content: bytes) -> torch.Tensor:
    """Palette (256, 3) uint8 on the device; cached, since an upload per frame would block the CPU."""
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(256, 3).to(device)


@cache
def _one_pass(device: torch.device) -> Optional[Callable[..., LayerTensors]]:
    """The Triton kernel; None if it does not run on this GPU: it is compiled here, which needs tools that may be missing."""
    try:
        from fanet_ros.inference.triton_postprocess import one_pass
        one_pass(torch.zeros(1, 2, 2, 2, device=device), (4, 4), True)
    except Exception as error:      # of any kind: layer_by_layer() works without it
        warnings.warn(f'postprocessing on {device} is slower than it could be, Triton does not work: {error_text(error, 160)}',
                      stacklevel=2)
        return None
    return one_pass
