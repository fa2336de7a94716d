"""From an RGB frame to what the network is given."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import cv2
import numpy as np
import torch

from fanet_ros.model import CheckpointMetadata

CALIBRATION_FRAMES = 64


@dataclass(frozen=True)
class Preprocessing:
    """Resizes and normalises as in training. `mean` and `scale` are (1, 3, 1, 1) float32 on `device`, for 0..255."""

    device: torch.device
    mean: torch.Tensor
    scale: torch.Tensor

    @classmethod
    def of_checkpoint(cls, metadata: CheckpointMetadata, device: torch.device) -> Preprocessing:
        """The one that a checkpoint was trained with."""
        return cls(device, (torch.tensor(metadata.mean) * 255).view(1, 3, 1, 1).to(device),
                   (1 / (torch.tensor(metadata.std) * 255)).view(1, 3, 1, 1).to(device))

    def __call__(self, rgb: np.ndarray, height: int, width: int) -> torch.Tensor:
        """(H, W, 3) uint8 -> (1, 3, height, width) float32, normalised as in training, on the device."""
        if rgb.shape[:2] != (height, width):
            shrinks = height * width < rgb.shape[0] * rgb.shape[1]
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        frame = torch.from_numpy(np.array(rgb) if not rgb.flags.writeable else np.ascontiguousarray(rgb))
        images = frame.to(self.device).permute(2, 0, 1)[None].float()       # (1, 3, h, w), channels last in memory
        return (images - self.mean) * self.scale

    def calibration_images(self, folder: Path, height: int, width: int) -> Iterator[np.ndarray]:
        """Up to CALIBRATION_FRAMES of the images in `folder`, as the network wants them."""
        paths = sorted(path for path in folder.glob('*') if path.suffix.lower() in ('.jpg', '.jpeg', '.png', '.bmp'))
        for path in paths[::max(len(paths) // CALIBRATION_FRAMES, 1)][:CALIBRATION_FRAMES]:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if bgr is not None:
                yield self(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), height, width).contiguous().numpy()
