"""Random views of a labelled image: scale, rotation, crop, flip, colour, blur, noise and JPEG.

Every geometric step samples labels nearest, so a label is never a mixture of two.
"""
from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fanet_ros.model import MIN_INPUT_PX
from fanet_ros.training.datasets import UNLABELLED, Sample


@dataclass(frozen=True)
class Augmentation:
    """How far a view may depart from its image; probabilities are 0..1."""

    crop_height: int
    crop_width: int
    scale: tuple[float, float] = (0.5, 2.0)
    rotation_deg: float = 5.0
    flip: float = 0.5
    color: float = 0.4          # largest relative change of brightness, contrast and saturation
    hue_deg: float = 10.0
    gamma: float = 0.5          # largest change of log2(gamma): light that the data does not show
    blur: float = 0.2
    noise: float = 0.2
    jpeg: float = 0.2
    paste: float = 0.0          # half of the classes of another view are laid over this one; not in clips

    def __post_init__(self) -> None:
        if min(self.crop_height, self.crop_width) < MIN_INPUT_PX:
            raise ValueError(f'crop_height and crop_width are {self.crop_height} and {self.crop_width}: expected at '
                             f'least {MIN_INPUT_PX} px, or the deepest features would have no pixel')
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError(f'scale is {list(self.scale)}: expected the smallest, above 0, and the largest')
        for name in ('flip', 'color', 'blur', 'noise', 'jpeg', 'paste'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} is {getattr(self, name)}: expected 0..1')

    def __call__(self, sample: Sample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return `rgb` (crop_height, crop_width, 3) uint8 and `labels` (crop_height, crop_width) uint8."""
        rgb, labels = self._geometry(sample, rng)
        return self._degrade(self._recolor(rgb, rng), rng), labels

    def _geometry(self, sample: Sample, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        height, width = sample.labels.shape
        scale = float(np.exp(rng.uniform(*np.log(self.scale))))
        flip = -1.0 if rng.random() < self.flip else 1.0
        angle = np.deg2rad(rng.uniform(-self.rotation_deg, self.rotation_deg))
        # Source point at the crop's centre: anywhere that keeps the crop inside the image, or the middle if it is larger.
        room_x = max(width - self.crop_width / scale, 0.0) / 2
        room_y = max(height - self.crop_height / scale, 0.0) / 2
        center_x = width / 2 + rng.uniform(-room_x, room_x)
        center_y = height / 2 + rng.uniform(-room_y, room_y)
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix = np.array([[flip * cos, -flip * sin, 0.0], [sin, cos, 0.0]])
        matrix[:, 2] = np.array([self.crop_width / 2, self.crop_height / 2]) - matrix[:, :2] @ [center_x, center_y]
        size = (self.crop_width, self.crop_height)
        interpolation = cv2.INTER_AREA if scale < 0.7 else cv2.INTER_LINEAR
        rgb = cv2.warpAffine(sample.rgb, matrix, size, flags=interpolation, borderValue=(124, 116, 104))
        labels = cv2.warpAffine(sample.labels, matrix, size, flags=cv2.INTER_NEAREST, borderValue=UNLABELLED)
        return rgb, labels

    def _recolor(self, rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        shift = int(round(rng.uniform(-self.hue_deg, self.hue_deg) / 2))
        saturation = 1 + rng.uniform(-self.color, self.color)
        ramp = np.arange(256)
        hsv = cv2.merge([((hsv[..., 0].astype(np.int16) + shift) % 180).astype(np.uint8),
                         cv2.LUT(hsv[..., 1], np.clip(ramp * saturation, 0, 255).astype(np.uint8)), hsv[..., 2]])
        contrast, brightness = 1 + rng.uniform(-self.color, self.color), 1 + rng.uniform(-self.color, self.color)
        gamma = 2.0 ** rng.uniform(-self.gamma, self.gamma)
        curve = ((ramp / 255.0) ** gamma - 0.5) * contrast * brightness + 0.5 * brightness
        return cv2.LUT(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.clip(curve * 255, 0, 255).astype(np.uint8))

    def _degrade(self, rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < self.blur:
            rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.3, 1.5))
        if rng.random() < self.noise:
            noise = rng.normal(0, rng.uniform(2, 12), rgb.shape)
            rgb = np.clip(rgb + noise, 0, 255).astype(np.uint8)
        if rng.random() < self.jpeg:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
            rgb = cv2.imdecode(cv2.imencode('.jpg', rgb, quality)[1], cv2.IMREAD_UNCHANGED)
        return rgb


def paste_classes(view: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray], rng: np.random.Generator,
                  ) -> tuple[np.ndarray, np.ndarray]:
    """Lay the pixels of a random half of the classes in `other` over `view` (ClassMix; Olsson et al., arXiv 2007.07936).

    Things stand in surroundings then that the data do not show them in, so that less of each is learnt by heart.

    :param view: rgb (H, W, 3) uint8 and labels (H, W) uint8
    :param other: the same, of the same size
    """
    present = np.unique(other[1])
    present = present[present != UNLABELLED]
    chosen = rng.permutation(present)[:(len(present) + 1) // 2]
    pasted = np.isin(other[1], chosen)
    return np.where(pasted[..., None], other[0], view[0]), np.where(pasted, other[1], view[1])
