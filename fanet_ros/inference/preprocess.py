"""From an RGB frame of any size to what the network is given."""
from __future__ import annotations

from pathlib import Path
from typing import Iterator

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from fanet_ros.inference.gpu import host_buffer
from fanet_ros.inference.segmentation import SegmentationError

CALIBRATION_FRAMES = 64
PICTURES = ('.jpg', '.jpeg', '.png', '.bmp')


class Preprocessor:
    """Resizes and normalises frames, on the CPU or the GPU. One for each user: it keeps the memory by which frames go up.

    :param mean: of RGB, 0..1
    :param std: likewise
    """

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float], device: torch.device) -> None:
        self._device = device
        self._mean = (torch.tensor(mean) * 255).view(1, 3, 1, 1).to(device)
        self._scale = (1 / (torch.tensor(std) * 255)).view(1, 3, 1, 1).to(device)
        self._staging: dict[int, Tensor] = {}

    def __call__(self, rgb: np.ndarray, height: int, width: int, place: int = 0) -> Tensor:
        """`rgb` (H, W, 3) uint8 -> (1, 3, height, width) float32, normalised, on the device.

        :param place: of the frame among those that go to the device at the same time
        """
        return self.normalized(self.load(rgb, height, width, place), height, width)

    def load(self, rgb: np.ndarray, height: int, width: int, place: int = 0) -> Tensor:
        """The first half: `rgb` on the device, uint8; on the CPU (height, width, 3), on a GPU of its own size.

        On a GPU the copy may still be under way; it must be done before the same place is used again.
        """
        return self._upload(rgb, place) if self._device.type == 'cuda' else _as_tensor(_resized(rgb, height, width))

    def normalized(self, frame: Tensor, height: int, width: int) -> Tensor:
        """The second half: what load() gave -> (1, 3, height, width) float32."""
        # Of the right size: 8 bits become float32 as they are read, which saves a pass over memory.
        is_ready = tuple(frame.shape[:2]) == (height, width)
        images = frame.permute(2, 0, 1)[None] if is_ready else resized_on_device(frame, height, width)
        return (images - self._mean).mul_(self._scale)

    def calibration_images(self, folder: Path, height: int, width: int) -> Iterator[np.ndarray]:
        """Up to CALIBRATION_FRAMES of the images in `folder`, as the network wants them."""
        paths = pictures_in(folder)
        for path in paths[::max(len(paths) // CALIBRATION_FRAMES, 1)][:CALIBRATION_FRAMES]:
            bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if bgr is not None:
                yield self(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), height, width).cpu().contiguous().numpy()

    def _upload(self, rgb: np.ndarray, place: int) -> Tensor:
        """The raw 8-bit frame on the GPU, by way of pinned memory, from which it is copied without the CPU's help."""
        staging = self._staging.get(place)
        if staging is None or staging.shape != rgb.shape:
            staging = self._staging[place] = host_buffer(rgb.shape, self._device)
        np.copyto(staging.numpy(), rgb)
        return staging.to(self._device, non_blocking=True)


def pictures_in(folder: Path) -> list[Path]:
    """The picture files in `folder`, by name; none where there is no such folder."""
    return sorted(path for path in folder.glob('*') if path.suffix.lower() in PICTURES)


def check_calibration_images(folder: Path) -> None:
    """:raises SegmentationError: `folder` is none, or holds no picture that can be read"""
    if not folder.is_dir():
        raise SegmentationError(f'calibration_images is {str(folder)!r}: no such folder; expected one with pictures of this camera')
    if not any(cv2.imread(str(path)) is not None for path in pictures_in(folder)):
        raise SegmentationError(f'calibration_images is {str(folder)!r}: no readable picture in it ({", ".join(PICTURES)}); '
                                'sub-folders are not looked into')


def resized_on_device(frame: Tensor, height: int, width: int) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, height, width) float32, 0..255, by torch: the mean over each pixel's area where it shrinks."""
    images = frame.permute(2, 0, 1)[None].float()                               # (1, 3, H, W), channels last in memory
    if images.shape[-2:] == (height, width):
        return images
    if _shrinks(frame.shape, height, width):
        return F.interpolate(images, (height, width), mode='area')
    return F.interpolate(images, (height, width), mode='bilinear', align_corners=False)


def _resized(rgb: np.ndarray, height: int, width: int) -> np.ndarray:
    if rgb.shape[:2] == (height, width):
        return rgb
    shrinks = _shrinks(rgb.shape, height, width)
    return cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _shrinks(shape: tuple[int, ...] | torch.Size, height: int, width: int) -> bool:
    return height * width < shape[0] * shape[1]


def _as_tensor(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb) if rgb.flags.writeable else np.array(rgb))
