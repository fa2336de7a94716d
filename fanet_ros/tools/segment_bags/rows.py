# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A row for every frame: what is seen on it, how sure the network is, how dark and how sharp the image is."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterator, Sequence

import cv2
import numpy as np

from fanet_ros.bags.camera_reader import BagImage
from fanet_ros.inference import Segmentation

DOUBTFUL_BELOW = 128        # of 255: less than half of the probability


def row_of(image: BagImage, segmentation: Segmentation, classes: int) -> dict[str, Any]:
    """What is told of a frame that has a mask and a confidence, as columns; `shares` is a list, one for each class.

    `sharpness` is the variance of the Laplacian of the grey image, in squared grey levels (Pech-Pacheco et al., 2000);
    `brightness` its mean, 0 to 1; `doubtful` the share of pixels below DOUBTFUL_BELOW.
    """
    assert image.rgb is not None and segmentation.confidence is not None
    grey = cv2.cvtColor(image.rgb, cv2.COLOR_RGB2GRAY)
    counts = np.bincount(segmentation.labels.ravel(), minlength=classes)[:classes]
    return {'topic': image.topic, 'stamp_ns': image.stamp_ns, 'shares': (counts / segmentation.labels.size).tolist(),
            'confidence': float(segmentation.confidence.mean() / 255),
            'doubtful': float((segmentation.confidence < DOUBTFUL_BELOW).mean()),
            'brightness': float(grey.mean() / 255), 'sharpness': float(cv2.Laplacian(grey, cv2.CV_32F).var())}


class RowFile:
    """Rows of a unit in the order of its images, beside the journal of its masks; an image without a mask has null.

    A row is written before its mask. What an interruption left over is dropped.

    :param done: images in the journal
    """

    def __init__(self, path: Path, done: int) -> None:
        path.touch()
        with open(path, 'r+b') as file:
            for _ in range(done):
                file.readline()
            file.truncate(file.tell())
        self._file = open(path, 'ab')

    def add(self, row: dict[str, Any] | None) -> None:
        """The next image's."""
        self._file.write(json.dumps(row).encode() + b'\n')
        self._file.flush()

    def __enter__(self) -> RowFile:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()


def read_rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Those of all units, in order."""
    for path in paths:
        with open(path, 'rb') as file:
            for line in file:
                if (row := json.loads(line)) is not None:
                    yield row


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
