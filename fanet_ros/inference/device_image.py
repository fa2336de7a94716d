# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera frame in device memory, in the camera's encoding, and its conversion to RGB with PyTorch."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fanet_ros.inference.pixel_layout import PixelLayout

# ITU-R BT.601, limited range, in OpenCV's fixed-point coefficients (times 2**20): Y; U to blue and green; V to green and red.
YUV_SHIFT = 20
Y_GAIN, U_BLUE, U_GREEN, V_GREEN, V_RED = 1220542, 2116026, -409993, -852492, 1673527


@dataclass(frozen=True, eq=False)
class DeviceImage:
    """An image of `height` x `width` px on the device: `data` is (bytes,) uint8, in the memory layout `layout`."""

    data: Tensor
    height: int
    width: int
    layout: PixelLayout

    @classmethod
    def of_rgb(cls, rgb: Tensor) -> DeviceImage:
        """Wrap a contiguous (H, W, 3) uint8 RGB tensor, without copying it."""
        height, width = rgb.shape[:2]
        layout = PixelLayout.of('rgb8', height, width)
        assert layout is not None
        return cls(rgb.view(-1), height, width, layout)

    def plane(self, number: int, halvings: tuple[int, int] = (0, 0)) -> Tensor:
        """View of one plane, (H, W) uint8; `halvings` are those of its rows and columns, for subsampled chroma."""
        first, row, column = self.layout.planes[number]
        size = self.height >> halvings[0], self.width >> halvings[1]
        return self.data.as_strided(size, (row, column), first)


def rgb_of(image: DeviceImage) -> Tensor:
    """Convert to contiguous (H, W, 3) uint8 RGB on the same device, with the same result as OpenCV."""
    if image.layout.kind == 'yuv':
        return _of_yuv(image)
    if image.layout.kind == 'bayer':
        return _of_bayer(image)
    red, green, blue = image.layout.planes
    if (red.first, green.first, blue.first, red.column) == (0, 1, 2, 3):        # already packed RGB
        return image.data.view(image.height, image.width, 3)
    return torch.stack([image.plane(number) for number in range(3)], -1)


def _of_yuv(image: DeviceImage) -> Tensor:
    rows, columns = (2**halvings for halvings in image.layout.halving)
    y = (image.plane(0).int() - 16).clamp(min=0) * Y_GAIN + (1 << YUV_SHIFT - 1)
    u, v = ((image.plane(number, image.layout.halving).int() - 128).repeat_interleave(rows, 0).repeat_interleave(columns, 1)
            for number in (1, 2))
    rgb = torch.stack([y + V_RED * v, y + V_GREEN * v + U_GREEN * u, y + U_BLUE * u], -1)
    return (rgb >> YUV_SHIFT).clamp(0, 255).to(torch.uint8)


def _of_bayer(image: DeviceImage) -> Tensor:
    """Bilinear demosaicing; border pixels repeat the nearest inner pixel."""
    values = image.plane(0).int()
    height, width = image.height, image.width

    def around(row: int, column: int) -> Tensor:
        return values[1 + row:height - 1 + row, 1 + column:width - 1 + column]
    here = around(0, 0)
    horizontal, vertical = around(0, -1) + around(0, 1), around(-1, 0) + around(1, 0)
    corners = around(-1, -1) + around(-1, 1) + around(1, -1) + around(1, 1) + 2 >> 2
    cross = horizontal + vertical + 2 >> 2
    horizontal, vertical = horizontal + 1 >> 1, vertical + 1 >> 1
    first_row, first_column = image.layout.halving
    in_red_row = (torch.arange(1, height - 1, device=values.device) % 2 == first_row)[:, None]
    in_red_column = (torch.arange(1, width - 1, device=values.device) % 2 == first_column)[None]
    red = torch.where(in_red_row, torch.where(in_red_column, here, horizontal), torch.where(in_red_column, vertical, corners))
    blue = torch.where(in_red_row, torch.where(in_red_column, corners, vertical), torch.where(in_red_column, horizontal, here))
    green = torch.where(in_red_row == in_red_column, cross, here)
    inner = torch.stack([red, green, blue], 0)[None].to(torch.float32)
    return torch.nn.functional.pad(inner, (1, 1, 1, 1), mode='replicate')[0].permute(1, 2, 0).to(torch.uint8).contiguous()
