# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a frame of any size, as the camera sent it, to the network's input."""
from __future__ import annotations

import warnings
from functools import cache
from typing import Callable, Optional, Union

import numpy as np
import torch
from torch import Tensor

from fanet_ros.error_text import error_text
from fanet_ros.inference.device_image import DeviceImage, rgb_of
from fanet_ros.inference.gpu import host_buffer
from fanet_ros.inference.normalizing import normalized
from fanet_ros.inference.pixel_layout import PixelLayout
from fanet_ros.inference.resampling import resampled, taps
from fanet_ros.inference.resizing import resized
from fanet_ros.inference.segmentation import CameraImage


class Preprocessor:
    """Converts frames to RGB, resizes and normalises them.

    Uses OpenCV on the CPU; on a GPU it works in one pass from the camera's bytes. Do not share an instance: it owns the pinned
    memory that frames are uploaded from.

    :param mean: of RGB, 0..1
    :param std: of RGB, 0..1
    :param fused: on a GPU, use the Triton kernel if it works; else PyTorch, layer by layer
    """

    def __init__(self, mean: tuple[float, float, float], std: tuple[float, float, float], device: torch.device, *,
                 fused: bool = True) -> None:
        self._device = device
        self._means = mean[0] * 255, mean[1] * 255, mean[2] * 255
        self._scales = 1 / (std[0] * 255), 1 / (std[1] * 255), 1 / (std[2] * 255)
        self._mean = (torch.tensor(mean) * 255).view(1, 3, 1, 1).to(device)
        self._scale = (1 / (torch.tensor(std) * 255)).view(1, 3, 1, 1).to(device)
        self._staging: dict[int, Tensor] = {}
        self._one_pass = _one_pass(device) if fused and device.type == 'cuda' else None

    def __call__(self, frame: Union[np.ndarray, CameraImage], height: int, width: int, place: int = 0) -> Tensor:
        """`frame`, if an array (H, W, 3) uint8 RGB -> (1, 3, height, width) float32, normalised, on the device.

        :param place: slot of the frame among those that are uploaded at the same time
        """
        return self.normalized(self.load(frame, height, width, place), height, width)

    def load(self, frame: Union[np.ndarray, CameraImage], height: int, width: int, place: int = 0) -> DeviceImage:
        """First half: `frame` on the device in 8 bits; on the CPU as RGB (height, width, 3), on a GPU unmodified.

        On a GPU the upload may still be in progress; it must be complete before the same `place` is used again.
        """
        if self._device.type == 'cuda':
            return self.upload(frame, place)
        rgb = frame if isinstance(frame, np.ndarray) else frame.rgb
        return DeviceImage.of_rgb(_as_tensor(resized(rgb, height, width)))

    def upload(self, frame: Union[np.ndarray, CameraImage], place: int = 0) -> DeviceImage:
        """The frame's own bytes on the device; for `place` see load()."""
        if isinstance(frame, np.ndarray):
            return DeviceImage.of_rgb(self._sent(frame, place))
        layout = PixelLayout.of(frame.encoding, frame.height, frame.width)
        if layout is None:
            return DeviceImage.of_rgb(self._sent(frame.rgb, place))
        return DeviceImage(self._sent(frame.rows, place).view(-1), frame.height, frame.width, layout)

    def normalized(self, image: DeviceImage, height: int, width: int) -> Tensor:
        """Second half: the result of load() -> (1, 3, height, width) float32; on a GPU, channels last in memory."""
        size = image.height, image.width
        if self._one_pass is not None:
            steps = taps(size, (height, width), self._device)
            return self._one_pass(image, *steps, self._means, self._scales).permute(2, 0, 1)[None]
        rgb = rgb_of(image)
        if self._device.type == 'cpu' and size == (height, width):
            return torch.from_numpy(normalized(rgb.numpy(), self._means, self._scales))
        images = resampled(rgb, *taps(size, (height, width), self._device))
        return (images - self._mean).mul_(self._scale)

    def rgb(self, image: DeviceImage) -> Tensor:
        """The result of load() as (H, W, 3) uint8 RGB on the device, contiguous."""
        size = image.height, image.width
        if self._one_pass is None or image.layout == PixelLayout.of('rgb8', *size):
            return rgb_of(image)
        return self._one_pass(image, *taps(size, size, self._device), (0.0,) * 3, (1.0,) * 3, torch.uint8)

    def _sent(self, values: np.ndarray, place: int) -> Tensor:
        """`values` on the device, through pinned memory, from which a GPU copies them asynchronously."""
        staging = self._staging.get(place)
        if staging is None or staging.shape != values.shape:
            staging = self._staging[place] = host_buffer(values.shape, self._device)
        # On one thread: on a busy machine, several wait for each other far longer than they save.
        np.copyto(staging.numpy(), values)
        return staging.to(self._device, non_blocking=True)


@cache
def _one_pass(device: torch.device) -> Optional[Callable[..., Tensor]]:
    """The Triton kernel, compiled for all layouts, so that no frame waits for that; None if it does not run on this GPU."""
    try:
        from fanet_ros.inference.triton_preprocess import one_pass
        for encoding in ('rgb8', 'yuyv', 'bayer_rggb8'):
            layout = PixelLayout.of(encoding, 4, 4)
            assert layout is not None
            image = DeviceImage(torch.zeros(64, dtype=torch.uint8, device=device), 4, 4, layout)
            for dtype in (torch.float32, torch.uint8):
                one_pass(image, *taps((4, 4), (4, 4), device), (0.0,) * 3, (1.0,) * 3, dtype)
    except Exception as error:      # of any kind: PyTorch works without it
        warnings.warn(f'preprocessing on {device} is slower than it could be, Triton does not work: '
                      f'{error_text(error, 160)}', stacklevel=2)
        return None
    return one_pass


def _as_tensor(rgb: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb) if rgb.flags.writeable else np.array(rgb, order='C'))
