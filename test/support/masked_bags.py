# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write small bags with given masks, as segment_bag does, without a network."""
from __future__ import annotations

from pathlib import Path
from typing import Iterable, Optional

import numpy as np
from street_bags import HEIGHT, WIDTH

from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.topics import choose_cameras
from fanet_ros.inference import ClassMap
from fanet_ros.tools.segment_bag.output import write_bag

CLASSES = ClassMap('three', ('sky', 'road', 'car'), ((0, 0, 255), (90, 90, 90), (255, 0, 0)))


def write_masked_bag(source: Path, path: Path, masks: Iterable[Optional[np.ndarray]], class_map: ClassMap = CLASSES) -> Path:
    """Copy the bag `source` with one of `masks` per camera image, None: no mask; returns `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with CameraReader(source) as bag:
        cameras = choose_cameras(bag.list_topics(), [])
        write_bag(path, bag, cameras, iter(masks), class_map, (), None, lambda: None)
    return path


def mask(car_px: int = 0, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Upper half sky, lower half road, and `car_px` pixels of the last rows car; (H, W) uint8."""
    labels = np.repeat(np.array([0, 1], np.uint8), height // 2)[:, None].repeat(width, axis=1)
    if car_px:
        labels.reshape(-1)[-car_px:] = 2
    return labels
