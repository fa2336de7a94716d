# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The GPU's preprocessing matches OpenCV's on the CPU; tested here with PyTorch, which is the reference for the kernel."""
from __future__ import annotations

import numpy as np
import pytest
import torch
from camera_images import ENCODINGS, as_sent, random_image

from fanet_ros.inference import FrameInput, Segmenter
from fanet_ros.inference.device_image import rgb_of
from fanet_ros.inference.pixel_layout import PixelLayout
from fanet_ros.inference.postprocess import labels_and_confidence
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.resampling import resampled, taps
from fanet_ros.inference.resizing import resized
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD
from fanet_ros.sources import SyntheticStreet

CPU = torch.device('cpu')


def preprocessor() -> Preprocessor:
    return Preprocessor(IMAGENET_MEAN, IMAGENET_STD, CPU)


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_every_encoding_matches_opencv(encoding: str) -> None:
    least = (3, 4) if encoding.startswith('bayer') else (2, 2)
    for height, width, padding in ((*least, 0), (34, 46, 0), (34, 46, 10)):
        image = random_image(encoding, height, width, padding)
        assert np.array_equal(rgb_of(preprocessor().upload(image)).numpy(), image.rgb), (height, width, padding)


def test_encoding_without_a_layout_is_uploaded_as_rgb() -> None:
    assert PixelLayout.of('jpeg', 4, 4) is None
    image = random_image('bgr8', 32, 48)
    sent = preprocessor().upload(FrameInput(image).rgb)
    assert np.array_equal(rgb_of(sent).numpy(), image.rgb) and sent.layout == PixelLayout.of('rgb8', 32, 48)


@pytest.mark.parametrize(('source', 'target'), [
    ((72, 128), (32, 64)), ((72, 128), (31, 55)), ((72, 120), (13, 23)), ((37, 53), (20, 21)), ((48, 64), (12, 16)),    # smaller
    ((40, 60), (40, 31)), ((30, 41), (64, 96)), ((32, 79), (61, 62)), ((40, 60), (40, 60)), ((1, 1), (3, 5)),       # no smaller
    ((14, 50), (72, 3)), ((66, 86), (63, 89)), ((9, 90), (10, 64))])                               # one side only
def test_resampling_matches_that_of_the_cpu(source: tuple[int, int], target: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*source, 3), np.uint8)
    expected = resized(rgb, *target).reshape(*target, 3)
    found = resampled(torch.from_numpy(rgb), *taps(source, target, CPU))[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).max() < 1.5     # OpenCV rounds, intermediate results too


@pytest.fixture(name='segmenter', scope='module')
def segmenter_fixture() -> Segmenter:
    return Segmenter.from_checkpoint('fanet18_camvid', device='cpu', engine='torch', input_height=180, input_width=240)


@pytest.mark.parametrize('encoding', ['bgr8', 'mono8', 'yuyv', 'nv12', 'bayer_rggb8'])
def test_gpu_preprocessing_gives_the_same_network_input(segmenter: Segmenter, encoding: str) -> None:
    """The whole GPU preprocessing with PyTorch, on a frame of a street: input and labels."""
    size = segmenter.input_height, segmenter.input_width
    image = as_sent(SyntheticStreet(480, 360, seed=3).frame(5).rgb, encoding)
    preprocess = preprocessor()
    expected = preprocess(image, *size)
    found = preprocess.normalized(preprocess.upload(image), *size)
    levels = (found - expected).abs() * torch.tensor(IMAGENET_STD).view(1, 3, 1, 1) * 255
    assert float(levels.max()) < 1
    engine = segmenter._engines[size]
    mine, theirs = (labels_and_confidence(engine(item), (360, 480), False)[0] for item in (found, expected))
    assert np.mean(mine == theirs) > 0.995 and len(np.unique(theirs)) > 3


def test_camera_encoding_gives_the_same_labels_as_rgb(segmenter: Segmenter) -> None:
    image = as_sent(SyntheticStreet(480, 360, seed=3).frame(5).rgb, 'nv12')
    frame = FrameInput(image)
    assert frame.size == (360, 480) and frame.rgb is image.rgb
    assert np.array_equal(segmenter.segment_batch([frame])[0].labels, segmenter.segment(image.rgb).labels)
