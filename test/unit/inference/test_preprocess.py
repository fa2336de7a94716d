"""Frames on their way into the network: the GPU's way gives what the CPU's gives."""
import cv2
import numpy as np
import pytest
import torch

from fanet_ros.inference.preprocess import Preprocessor, resized_on_device
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD
from fanet_ros.sources import SyntheticStreet


def test_normalisation_and_layout() -> None:
    rgb = np.zeros((64, 80, 3), np.uint8)
    rgb[..., 0], rgb[3, 5] = 255, (0, 128, 255)
    images = Preprocessor(IMAGENET_MEAN, IMAGENET_STD, torch.device('cpu'))(rgb, 64, 80)
    assert images.shape == (1, 3, 64, 80) and images.dtype == torch.float32
    expected = (np.array([0, 128, 255]) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(images[0, :, 3, 5], expected, atol=1e-5)


def test_a_frame_that_may_not_be_written_is_taken() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb.flags.writeable = False
    assert Preprocessor(IMAGENET_MEAN, IMAGENET_STD, torch.device('cpu'))(rgb, 64, 64).isfinite().all()


@pytest.mark.parametrize(('size', 'largest_mean'), [((180, 240), 0.3), ((144, 200), 1.5), ((360, 480), 0.0), ((540, 720), 0.3)])
def test_torch_resizes_like_opencv(size: tuple[int, int], largest_mean: float) -> None:
    rgb = SyntheticStreet(480, 360, seed=3).frame(5).rgb
    shrinks = size[0] < 360
    expected = cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    found = resized_on_device(torch.from_numpy(rgb), *size)[0].permute(1, 2, 0).numpy()
    assert np.abs(found - expected).mean() <= largest_mean
