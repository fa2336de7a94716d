# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random views of a labelled image: scale, rotation, crop, flip, colour, blur, noise and JPEG.

A View holds the parameters that were drawn; it is rendered here with OpenCV, one image at a time, and by device_views with
PyTorch, a whole batch at a time. Labels are always sampled by nearest neighbour, so a label is never a mixture of two.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from fanet_ros.datasets import UNLABELLED, Sample
from fanet_ros.model import MIN_INPUT_PX

FILL_RGB = (124, 116, 104)          # outside the image: the mean of the normalisation, which is zero to the network
LOGIT_STRIDE = 8                    # of the network
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class View:
    """Parameters of one view of an image.

    matrix: (2, 3), from pixels (x, y, 1) of the image to pixels of the view
    color: (3, 3), applied to RGB
    gamma, contrast, brightness: of the tone curve that follows, see curve()
    blur_px: standard deviation of a Gaussian; noise: standard deviation, of 255; jpeg_quality: 1..100; 0: none of it
    seed: of the noise
    """

    matrix: np.ndarray
    color: np.ndarray
    gamma: float
    contrast: float
    brightness: float
    blur_px: float
    noise: float
    jpeg_quality: int
    seed: int

    def curve(self, values: np.ndarray) -> np.ndarray:
        """Apply the tone curve to values of 0..1; the result may exceed that range."""
        return ((values ** self.gamma - 0.5) * self.contrast + 0.5) * self.brightness


@dataclass(frozen=True)
class Augmentation:
    """The ranges that views are drawn from; probabilities are 0..1."""

    crop_height: int
    crop_width: int
    scale: tuple[float, float] = (0.5, 2.0)
    rotation_deg: float = 5.0
    flip: float = 0.5
    color: float = 0.4          # largest relative change of brightness, contrast and saturation
    hue_deg: float = 10.0
    gamma: float = 0.5          # largest change of log2(gamma): simulates light that is not in the data
    blur: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.2
    paste: float = 0.0          # probability of pasting half of the classes of another view over this one; not in clips

    def __post_init__(self) -> None:
        if min(self.crop_height, self.crop_width) < MIN_INPUT_PX:
            raise ValueError(f'crop_height and crop_width are {self.crop_height} and {self.crop_width}: expected at '
                             f'least {MIN_INPUT_PX} px, or the deepest features would have no pixel')
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f'scale is {list(self.scale)}: expected [smallest, largest], both above 0')
        for name in ('flip', 'color', 'blur', 'noise', 'jpeg', 'paste'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is {getattr(self, name)}: expected 0..1')

    def __call__(self, sample: Sample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return `rgb` (crop_height, crop_width, 3) uint8 and `labels` (crop_height, crop_width) uint8."""
        height, width = sample.labels.shape
        return self.render(sample, self.draw(height, width, rng))

    def draw(self, height: int, width: int, rng: np.random.Generator) -> View:
        """Draw a view of an image of this size [px]."""
        scale = float(np.exp(rng.uniform(*np.log(self.scale))))
        flip = -1.0 if rng.random() < self.flip else 1.0
        angle = np.deg2rad(rng.uniform(-self.rotation_deg, self.rotation_deg))
        # Source point at the crop's centre: anywhere that keeps the crop inside the image, or the middle if it is larger.
        room_x = max(width - self.crop_width / scale, 0.0) / 2
        room_y = max(height - self.crop_height / scale, 0.0) / 2
        center_x = (width - 1) / 2 + rng.uniform(-room_x, room_x)
        center_y = (height - 1) / 2 + rng.uniform(-room_y, room_y)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix = np.array([[flip * cos, -flip * sin, 0.0], [sin, cos, 0.0]])
        matrix[:, 2] = np.array([self.crop_width - 1, self.crop_height - 1]) / 2 - matrix[:, :2] @ [center_x, center_y]
        color = _color_matrix(np.deg2rad(rng.uniform(-self.hue_deg, self.hue_deg)), 1 + rng.uniform(-self.color, self.color))
        return View(
            matrix, color, gamma=2.0 ** rng.uniform(-self.gamma, self.gamma),
            contrast=1 + rng.uniform(-self.color, self.color), brightness=1 + rng.uniform(-self.color, self.color),
            blur_px=rng.uniform(0.3, 1.5) if rng.random() < self.blur else 0.0,
            noise=rng.uniform(2, 12) if rng.random() < self.noise else 0.0,
            jpeg_quality=int(rng.integers(30, 90)) if rng.random() < self.jpeg else 0, seed=int(rng.integers(2**32)))

    def render(self, sample: Sample, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Render a view; returns the same as __call__()."""
        size = (self.crop_width, self.crop_height)
        rgb = cv2.warpAffine(sample.rgb, view.matrix, size, flags=cv2.INTER_LINEAR, borderValue=FILL_RGB)
        labels = cv2.warpAffine(sample.labels, view.matrix, size, flags=cv2.INTER_NEAREST, borderValue=UNLABELLED)
        rgb = cv2.transform(rgb, view.color)
        rgb = cv2.LUT(rgb, np.clip(view.curve(np.arange(256) / 255.0) * 255, 0, 255).round().astype(np.uint8))
        if view.blur_px:
            rgb = cv2.GaussianBlur(rgb, (0, 0), view.blur_px)
        if view.noise:
            noise = np.random.default_rng(view.seed).standard_normal(rgb.shape, np.float32)
            rgb = np.clip(rgb + view.noise * noise, 0, 255).round().astype(np.uint8)
        if view.jpeg_quality:
            quality = [cv2.IMWRITE_JPEG_QUALITY, view.jpeg_quality]
            decoded = cv2.imdecode(cv2.imencode('.jpg', rgb, quality)[1], cv2.IMREAD_UNCHANGED)
            assert decoded is not None
            rgb = decoded
        return rgb, labels

    def render_soft(self, sample: Sample, view: View) -> Optional[np.ndarray]:
        """Soft labels at the positions of the network's logits: (ceil(crop_height/8), ceil(crop_width/8), C) uint8.

        Zero outside the image. None if the sample has none.
        """
        if sample.soft is None:
            return None
        height, width = sample.labels.shape
        rows, columns = sample.soft.shape[:2]
        inverse = cv2.invertAffineTransform(view.matrix)
        at = np.stack(np.meshgrid(logit_positions(self.crop_width), logit_positions(self.crop_height)), -1)
        x, y = np.moveaxis(at @ inverse[:, :2].T + inverse[:, 2], -1, 0)        # pixels of the image
        inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
        x = np.clip(x * (columns - 1) / max(width - 1, 1), 0, columns - 1)      # coordinates in the soft labels
        y = np.clip(y * (rows - 1) / max(height - 1, 1), 0, rows - 1)
        left, top = np.minimum(x.astype(int), max(columns - 2, 0)), np.minimum(y.astype(int), max(rows - 2, 0))
        right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
        x, y = (x - left)[..., None], (y - top)[..., None]
        soft = ((sample.soft[top, left] * (1 - x) + sample.soft[top, right] * x) * (1 - y)
                + (sample.soft[bottom, left] * (1 - x) + sample.soft[bottom, right] * x) * y)
        return np.where(inside[..., None], soft.round(), 0).astype(np.uint8)


def logit_positions(side_px: int) -> np.ndarray:
    """Pixel coordinates of the logits along a side; the first and the last logit are on the first and the last pixel."""
    return np.linspace(0, side_px - 1, -(-side_px // LOGIT_STRIDE))


def _color_matrix(hue_rad: float, saturation: float) -> np.ndarray:
    """(3, 3): rotates the hue about the grey axis, then moves colours away from their luma or towards it."""
    cos, sin = np.cos(hue_rad), np.sin(hue_rad)
    axis = np.full(3, 3 ** -0.5)                # rotation about it by Rodrigues' formula
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * axis[0]
    turn = cos * np.eye(3) + sin * cross + (1 - cos) * np.outer(axis, axis)
    return (saturation * np.eye(3) + (1 - saturation) * np.tile(LUMA, (3, 1))) @ turn


def draw_pasted_classes(rng: np.random.Generator) -> np.ndarray:
    """(256,) bool: the labels of another view to paste over a view; each with probability 0.5, never UNLABELLED."""
    chosen = rng.random(256) < 0.5
    chosen[UNLABELLED] = False
    return chosen


def paste_classes(view: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], chosen: np.ndarray,
                  ) -> tuple[np.ndarray, np.ndarray]:
    """Paste the pixels of the `chosen` classes in `other` over `view` (ClassMix; Olsson et al., arXiv 2007.07936).

    Objects then appear in surroundings where the data does not show them, which reduces overfitting to their context.

    :param view: rgb (H, W, 3) uint8 and labels (H, W) uint8
    :param other: the same, of the same size
    :param chosen: (256,) bool, see draw_pasted_classes()
    """
    pasted = chosen[other[1]]
    return np.where(pasted[..., None], other[0], view[0]), np.where(pasted, other[1], view[1])
