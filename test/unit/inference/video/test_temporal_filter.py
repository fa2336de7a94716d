# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The temporal filter: smoothing of noise, following of motion, and resets."""
import numpy as np

from fanet_ros.inference.video.temporal_filter import TemporalFilter

HEIGHT, WIDTH = 24, 32


def textured(shift: int = 0) -> np.ndarray:
    """An image of 8 px blobs, moved to the right by `shift` px."""
    rows, columns = np.mgrid[:8 * HEIGHT, :8 * WIDTH]
    wave = np.sin((columns - shift) / 9.0) * np.cos(rows / 7.0) + 0.5 * np.sin((columns - shift + rows) / 17.0)
    return np.repeat((127 + 80 * wave).clip(0, 255).astype(np.uint8)[..., None], 3, 2)


def test_noise_is_averaged_for_a_still_camera() -> None:
    rng, temporal_filter = np.random.default_rng(0), TemporalFilter()
    found = [temporal_filter(rng.normal(size=(3, HEIGHT, WIDTH)).astype(np.float32), textured(), index / 15, 0.7)
             for index in range(30)][10:]
    # An exponential moving average with factor a has (1 - a) / (1 + a) of the variance: 0.42 of the standard deviation.
    assert 0.38 < np.std(found) < 0.46


def test_logits_move_with_the_image() -> None:
    temporal_filter = TemporalFilter()
    logits = np.zeros((2, HEIGHT, WIDTH), np.float32)
    logits[1, :, :16] = 8.0         # an edge at column 16, which moves by one column a frame
    temporal_filter(logits, textured(), 0.0, 0.9)
    found = temporal_filter(np.zeros_like(logits), textured(8), 1 / 15, 0.9)[1, 4:-4]
    assert (found[:, :16] > 4).mean() > 0.9 and (found[:, 19:] < 1).all()


def test_cut_gap_and_new_size_reset_the_filter() -> None:
    ones, zeros = np.ones((2, HEIGHT, WIDTH), np.float32), np.zeros((2, HEIGHT, WIDTH), np.float32)
    for rgb, stamp_s in ((255 - textured() // 4, 0.1), (textured(), 2.0)):
        temporal_filter = TemporalFilter()
        temporal_filter(ones, textured() // 4 if stamp_s < 1 else textured(), 0.0, 0.7)
        assert not temporal_filter(zeros, rgb, stamp_s, 0.7).any()
    temporal_filter = TemporalFilter()
    temporal_filter(ones, textured(), 0.0, 0.7)
    assert not temporal_filter(zeros[:, :12, :16], textured(), 0.1, 0.7).any()


def test_engines_array_is_copied() -> None:
    temporal_filter = TemporalFilter()
    logits = np.ones((2, HEIGHT, WIDTH), np.float32)
    found = temporal_filter(logits, textured(), 0.0, 0.5)
    logits[:] = 7
    assert (found == 1).all()
