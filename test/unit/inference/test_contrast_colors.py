# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contrast colours can be told apart with normal and colour-deficient vision."""
from __future__ import annotations

import cv2
import numpy as np
import pytest

from fanet_ros.inference import ClassMap, with_contrast
from fanet_ros.package_share import class_map_file

# Machado et al. 2009, severity 1, on linear RGB.
SIGHTS = {
    'normal': np.eye(3),
    'protanopia': np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    'deuteranopia': np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])}


def smallest_distance(class_map: ClassMap, sight: str) -> float:
    """Between any two of the colours and black, in CIE 1976 L*a*b*."""
    rgb = np.array([(0, 0, 0), *class_map.colors]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ SIGHTS[sight].T, 0, 1)
    lab = cv2.cvtColor(seen[None].astype(np.float32), cv2.COLOR_LRGB2LAB)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(distances[~np.eye(len(lab), dtype=bool)].min())


@pytest.mark.parametrize(('name', 'least', 'own'), [('camvid11', 39, 7), ('cityscapes19', 23, 7)])
def test_contrast_colours_are_farther_apart_than_the_data_sets_own(name: str, least: float, own: float) -> None:
    class_map = ClassMap.load(class_map_file(name))
    contrast = with_contrast(class_map)
    assert contrast.names == class_map.names and len(set(contrast.colors)) == len(class_map)
    assert min(smallest_distance(contrast, sight) for sight in SIGHTS) > least
    assert min(smallest_distance(class_map, sight) for sight in SIGHTS) < own


def test_classes_beyond_the_colours_keep_their_own() -> None:
    class_map = ClassMap('many', tuple(map(str, range(30))), tuple((number, 0, 0) for number in range(30)))
    assert with_contrast(class_map).colors[20:] == class_map.colors[20:]
