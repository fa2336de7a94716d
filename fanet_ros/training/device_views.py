# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Renders the Views of a whole batch at once with PyTorch, on the device that holds the images.

The images of all data sets, of any size, are stored one after the other in one array of pixels; a view gathers from it. The
result is the same as that of augment.Augmentation, which renders with OpenCV image by image, except for rounding and for JPEG,
which is left out. All shapes are fixed by the batch, and nothing waits for the device.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Iterable, NamedTuple, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.training.augment import FILL_RGB, View, logit_positions

BLUR_RADIUS = 5         # of the largest Gaussian, in taps


class Place(NamedTuple):
    """Where an image is stored: its first pixel, its height and width, and the same for its soft labels (height 0: none)."""

    first: int
    height: int
    width: int
    first_soft: int
    soft_height: int
    soft_width: int


class PixelStore:
    """Decoded images with their labels, on a device.

    :param samples: read once, in this order
    """

    def __init__(self, samples: Iterable[Sample], device: torch.device) -> None:
        rgb, labels, soft, self.places = [], [], [], []
        first = first_soft = 0
        for sample in samples:
            height, width = sample.labels.shape
            rows, columns = (0, 0) if sample.soft is None else sample.soft.shape[:2]
            self.places.append(Place(first, height, width, first_soft if rows else 0, rows, columns))    # 0: any cell, unused
            rgb.append(torch.from_numpy(np.ascontiguousarray(sample.rgb)).view(-1, 3).to(device))
            labels.append(torch.from_numpy(np.ascontiguousarray(sample.labels)).view(-1).to(device))
            first += height * width
            if sample.soft is not None:
                soft.append(torch.from_numpy(sample.soft).view(rows * columns, -1).to(device))
                first_soft += rows * columns
        self.rgb = torch.cat(rgb)                                   # (pixels, 3) uint8
        rgb.clear()
        self.labels = torch.cat(labels)                             # (pixels,) uint8
        self.soft: Optional[Tensor] = torch.cat(soft) if soft else None     # (cells, C) uint8

    @property
    def device(self) -> torch.device:
        return self.rgb.device


@dataclass(frozen=True)
class ViewTensors:
    """N views as tensors, see View and Place; `inverse` (N, 2, 3) maps pixels of the view to pixels of the image."""

    place: Tensor       # (N, 6) int64
    inverse: Tensor     # (N, 2, 3) float32
    color: Tensor       # (N, 3, 3) float32
    curve: Tensor       # (N, 3) float32: gamma, contrast, brightness
    blurred: Tensor     # (M,) int64: indices of the blurred views
    blur: Tensor        # (M, 2 BLUR_RADIUS + 1) float32: their filter taps, which sum to 1
    noise: Tensor       # (N,) float32
    seed: int           # of all their noise

    @classmethod
    def of(cls, views: Sequence[View], places: Sequence[Place]) -> ViewTensors:
        """Build them on the CPU; to() copies each tensor to the device once."""
        inverse = [_inverted(view.matrix) for view in views]
        blurred = [number for number, view in enumerate(views) if view.blur_px]
        deviation = torch.tensor([[views[number].blur_px] for number in blurred], dtype=torch.float32).view(-1, 1)
        blur = torch.exp(-0.5 * (torch.arange(-BLUR_RADIUS, BLUR_RADIUS + 1) / deviation) ** 2)
        return cls(
            torch.tensor(places), torch.tensor(np.stack(inverse), dtype=torch.float32),
            torch.tensor(np.stack([view.color for view in views]), dtype=torch.float32),
            torch.tensor([[view.gamma, view.contrast, view.brightness] for view in views], dtype=torch.float32),
            torch.tensor(blurred, dtype=torch.int64), blur / blur.sum(1, keepdim=True),
            torch.tensor([view.noise for view in views], dtype=torch.float32), views[0].seed)

    def tensors(self) -> tuple[Tensor, ...]:
        return self.place, self.inverse, self.color, self.curve, self.blurred, self.blur, self.noise

    def to(self, device: torch.device) -> ViewTensors:
        """Copy them to another device, without waiting for it."""
        if device.type == 'cpu':
            return self
        place, inverse, color, curve, blurred, blur, noise = (
            item.pin_memory().to(device, non_blocking=True) for item in self.tensors())
        return ViewTensors(place, inverse, color, curve, blurred, blur, noise, self.seed)


def render(store: PixelStore, views: ViewTensors, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Render `rgb` (N, height, width, 3) float32, 0..255, and `labels` (N, height, width) uint8."""
    columns = torch.arange(width, device=store.device, dtype=torch.float32)
    rows = torch.arange(height, device=store.device, dtype=torch.float32)
    x, y = _source(views.inverse, columns, rows)
    rgb = _bilinear(store.rgb, views.place[:, 0], views.place[:, 1:3], x, y, FILL_RGB)
    inside, index = _nearest(views.place[:, 0], views.place[:, 1:3], x, y)
    labels = torch.where(inside, store.labels[index], UNLABELLED)
    return _degraded(_recolored(rgb, views), views), labels


def render_soft(store: PixelStore, views: ViewTensors, height: int, width: int) -> Optional[Tensor]:
    """Soft labels at the logits of the views, (N, ceil(height/8), ceil(width/8), C) uint8; zeros where there are none."""
    if store.soft is None:
        return None
    columns, rows = (_logit_positions(side, store.device) for side in (width, height))
    x, y = _source(views.inverse, columns, rows)
    size = views.place[:, 1:3].view(-1, 2, 1, 1).float()
    cells = views.place[:, 4:6].view(-1, 2, 1, 1).float()
    inside = (x > -0.5) & (y > -0.5) & (x < size[:, 1] - 0.5) & (y < size[:, 0] - 0.5) & (cells[:, 0] > 0)
    x = (x * (cells[:, 1] - 1) / (size[:, 1] - 1).clamp(min=1)).clamp(min=0)
    y = (y * (cells[:, 0] - 1) / (size[:, 0] - 1).clamp(min=1)).clamp(min=0)
    x, y = x.minimum((cells[:, 1] - 1).clamp(min=0)), y.minimum((cells[:, 0] - 1).clamp(min=0))
    soft = _bilinear(store.soft, views.place[:, 3], views.place[:, 4:6].clamp(min=1), x, y, None)
    return (soft.round() * inside[..., None]).to(torch.uint8)


@cache      # cached: an upload to a GPU waits for all work queued before
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, device=device)


def _logit_positions(side_px: int, device: torch.device) -> Tensor:
    return _constant(tuple(logit_positions(side_px).tolist()), device)


def _source(inverse: Tensor, columns: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """x and y of the image's pixels, (N, rows, columns) each, for the pixels of the views."""
    x, y = columns.view(1, 1, -1), rows.view(1, -1, 1)
    a = inverse.view(-1, 2, 3, 1, 1)
    return a[:, 0, 0] * x + a[:, 0, 1] * y + a[:, 0, 2], a[:, 1, 0] * x + a[:, 1, 1] * y + a[:, 1, 2]


def _nearest(first: Tensor, size: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Whether positions (N, h, w) are inside the image, and the index of the pixel there; any valid index outside."""
    first = first.view(-1, 1, 1)
    height, width = size[:, 0].view(-1, 1, 1), size[:, 1].view(-1, 1, 1)
    column, row = x.round().long(), y.round().long()
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    return inside, first + (row * width + column) * inside


def _bilinear(pixels: Tensor, first: Tensor, size: Tensor, x: Tensor, y: Tensor,
              fill: Optional[tuple[int, int, int]]) -> Tensor:
    """(N, h, w, channels) float32; positions outside the image count as `fill`, if given."""
    left, top = x.floor(), y.floor()
    total: Optional[Tensor] = None
    for right, below in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = (1 - (x - left - right).abs()) * (1 - (y - top - below).abs())
        inside, index = _nearest(first, size, left + right, top + below)
        values = pixels[index].float()
        if fill is not None:
            values = torch.where(inside[..., None], values, _constant(fill, pixels.device))
        values = values * weight[..., None]
        total = values if total is None else total + values
    assert total is not None
    return total


def _recolored(rgb: Tensor, views: ViewTensors) -> Tensor:
    count = len(rgb)
    rgb = (rgb.view(count, -1, 3) @ views.color.transpose(1, 2)).clamp(0, 255).view(rgb.shape)
    gamma, contrast, brightness = views.curve.view(count, 3, 1, 1, 1).unbind(1)
    curved = (((rgb / 255) ** gamma - 0.5) * contrast + 0.5) * brightness
    return curved.clamp(0, 1) * 255


def _degraded(rgb: Tensor, views: ViewTensors) -> Tensor:
    if len(views.blurred):
        rgb = rgb.index_copy(0, views.blurred, _blurred(rgb[views.blurred], views.blur))
    # A generator of its own: a resumed run continues with the same noise, and processes that train together differ.
    generator = torch.Generator(rgb.device).manual_seed(views.seed)
    noise = torch.randn(rgb.shape, generator=generator, device=rgb.device)
    return (rgb + noise * views.noise.view(-1, 1, 1, 1)).clamp(0, 255)


def _blurred(rgb: Tensor, taps: Tensor) -> Tensor:
    """Convolve each of (M, H, W, 3) with its taps (M, n) along both sides."""
    count, height, width, _ = rgb.shape
    taps = taps.repeat_interleave(3, 0)                                             # (3 M, n)
    planes = F.pad(rgb.permute(0, 3, 1, 2).reshape(1, 3 * count, height, width), (BLUR_RADIUS,) * 4, mode='reflect')
    planes = F.conv2d(F.conv2d(planes, taps[:, None, None, :], groups=3 * count), taps[:, None, :, None], groups=3 * count)
    return planes.view(count, 3, height, width).permute(0, 2, 3, 1)


def _inverted(matrix: np.ndarray) -> np.ndarray:
    """Inverse (2, 3) of a (2, 3) affine map."""
    return np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
