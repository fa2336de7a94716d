# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Table row of a frame: class shares, confidence of the network, brightness and sharpness of the image."""
from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterator, Sequence

import cv2
import numpy as np

from fanet_ros.bags.camera_reader import BagImage
from fanet_ros.inference import Segmentation

DOUBTFUL_BELOW = 128        # of 255: probability below one half
LEVELS = np.arange(256) / 255


def row_of(image: BagImage, segmentation: Segmentation, classes: int) -> dict[str, Any]:
    """The columns of a frame that has a mask and confidences; `shares` is a list with the share of pixels of each class.

    `sharpness` is the variance of the Laplacian of the grey image, in squared grey levels (Pech-Pacheco et al., 2000);
    `brightness` the mean of the grey image, 0 to 1; `confidence` the mean over all pixels, 0 to 1; `doubtful` the share of pixels
    with a confidence below DOUBTFUL_BELOW.

    :param classes: number of classes
    """
    assert image.rgb is not None and segmentation.confidence is not None
    grey = cv2.cvtColor(image.rgb, cv2.COLOR_RGB2GRAY)
    confidences = _shares(segmentation.confidence)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return {'topic': image.topic, 'stamp_ns': image.stamp_ns, 'shares': _shares(segmentation.labels)[:classes].tolist(),
            'confidence': float(confidences @ LEVELS), 'doubtful': float(confidences[:DOUBTFUL_BELOW].sum()),
            'brightness': cv2.mean(grey)[0] / 255, 'sharpness': float(deviation[0, 0]) ** 2}


def _shares(values: np.ndarray) -> np.ndarray:
    """Share of the pixels with each value, (256,), of (H, W) uint8."""
    return cv2.calcHist([values], [0], None, [256], [0, 256]).ravel().astype(float) / values.size


class RowFile:
    """Rows of a unit in image order, kept next to the journal of its masks; null for an image without a mask.

    A row is written before its mask, so that after an interruption surplus rows can be dropped.

    :param done: number of images in the journal
    """

    def __init__(self, path: Path, done: int) -> None:
        path.touch()
        with open(path, 'r+b') as file:
            for _ in range(done):
                file.readline()
            file.truncate(file.tell())
        self._file = open(path, 'ab')

    def add(self, row: dict[str, Any] | None) -> None:
        """Append the row of the next image, None if it has no mask."""
        self._file.write(json.dumps(row).encode() + b'\n')
        self._file.flush()

    def __enter__(self) -> RowFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()


def count_rows(path: Path) -> int:
    """Number of rows up to the first unreadable one; 0 without the file."""
    count = 0
    with suppress(FileNotFoundError, ValueError), open(path, 'rb') as file:
        for line in file:
            json.loads(line)
            count += 1
    return count


def read_rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Rows of all units in order, without those of images that have no mask."""
    for path in paths:
        with open(path, 'rb') as file:
            for line in file:
                if (row := json.loads(line)) is not None:
                    yield row
