# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEGs decoded at a fraction of their size, as far as the network needs."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from fanet_ros.images.decoding import ImageError, compressed_image, to_rgb
from fanet_ros.inference import FrameInput, Segmenter
from fanet_ros.inference.resizing import resized
from fanet_ros.sources import SyntheticStreet

pytest.importorskip('simplejpeg')


def jpeg(height: int, width: int, suffix: str = '.jpg') -> Any:
    bgr = SyntheticStreet(width, height, seed=4).frame(6).rgb[..., ::-1]
    return SimpleNamespace(format='jpeg', data=cv2.imencode(suffix, bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


@pytest.mark.parametrize(('size', 'least', 'decoded'), [
    ((360, 640), (180, 320), (180, 320)), ((360, 640), (181, 320), (360, 640)), ((360, 640), (90, 120), (90, 160)),
    ((360, 644), (90, 160), (90, 161)), ((362, 644), (90, 160), (181, 322)), ((360, 640), (20, 20), (45, 80)),
    ((360, 640), (720, 1280), (360, 640))])
def test_the_smallest_fraction_that_suffices(size: tuple[int, int], least: tuple[int, int], decoded: tuple[int, int]) -> None:
    message, asked = jpeg(*size), []

    def suffices(height: int, width: int) -> tuple[int, int]:
        asked.append((height, width))
        return least
    image = compressed_image(message, suffices=suffices)
    assert (image.height, image.width) == decoded and image.frame_size == size and asked == [size]
    full = to_rgb(message)
    assert full.shape[:2] == size
    exact = cv2.resize(full, decoded[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(image.rgb.astype(int) - exact).mean() < 2


def test_other_files_are_decoded_at_full_size() -> None:
    image = compressed_image(jpeg(96, 128, '.png'), suffices=lambda height, width: (12, 16))
    assert (image.height, image.width) == image.frame_size == (96, 128)


def test_a_truncated_jpeg_is_refused_at_any_size() -> None:
    message = jpeg(360, 640)
    message.data = message.data[:len(message.data) // 2]
    with pytest.raises(ImageError, match='a damaged JPEG'):
        compressed_image(message, suffices=lambda height, width: (90, 160))


def test_labels_have_the_size_of_the_camera_image_and_hardly_change() -> None:
    segmenter = Segmenter.from_checkpoint('fanet18_camvid', device='cpu', engine='torch', input_height=180, input_width=320)
    message = jpeg(720, 1280)
    reduced = compressed_image(message, suffices=segmenter.size_for)
    assert (reduced.height, reduced.width) == (180, 320)
    small, full = (segmenter.segment_batch([FrameInput(image, confidence=True)])[0]
                   for image in (reduced, to_rgb(message)))
    assert small.labels.shape == full.labels.shape == (720, 1280) and small.confidence is not None
    assert np.mean(small.labels == full.labels) > 0.99 and len(np.unique(full.labels)) > 4
    assert np.abs(resized(to_rgb(message), 180, 320).astype(int) - reduced.rgb).mean() < 2
