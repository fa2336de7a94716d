# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading headers, joined frames and pixels from a bag."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.frame_reader import FrameReader

WriteBag = Callable[[Callable[[Any], None]], Path]


def camera_pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (4, 6, 3), np.uint8)


def mask_pixels(number: int) -> np.ndarray:
    return np.full((4, 6), number, np.uint8)


def fill(writer: Any) -> None:
    """Frames 0..3; 1 has no mask, 3 no overlay; masks come late and after the next camera frame."""
    for number in range(4):
        writer.image('/image', number, camera_pixels(number))
        writer.image('/ground_truth', number, mask_pixels(number + 10))
    for number in (0, 2, 3):
        writer.image('/segmentation/mask', number, mask_pixels(number))
        if number != 3:
            writer.image('/segmentation/overlay', number, 255 - camera_pixels(number))
        writer.timing(number, network_ms=number + 0.5, frames_dropped=1)


def test_frames_are_joined_by_stamp(write_bag: WriteBag, stamp_ns: Callable[[int], int]) -> None:
    with FrameReader(write_bag(fill)) as recording:
        frames = list(recording.frames())
    assert [frame.stamp_ns for frame in frames] == [stamp_ns(number) for number in (0, 2, 3)]
    for frame, number in zip(frames, (0, 2, 3)):
        np.testing.assert_array_equal(frame.rgb, camera_pixels(number))
        np.testing.assert_array_equal(frame.labels, mask_pixels(number))
        np.testing.assert_array_equal(frame.truth, mask_pixels(number + 10))
    np.testing.assert_array_equal(frames[1].overlay, 255 - camera_pixels(2))
    assert frames[2].overlay is None


def test_headers_and_timings(write_bag: WriteBag, stamp_ns: Callable[[int], int]) -> None:
    path = write_bag(fill)
    with FrameReader(path) as recording:
        masks = recording.images['/segmentation/mask']
        assert [(mask.height, mask.width, mask.step, mask.encoding, mask.frame_id) for mask in masks] == [
            (4, 6, 6, 'mono8', 'camera')] * 3
        assert [mask.values for mask in masks] == [(0,), (2,), (3,)]
        assert recording.images['/image'][1].stamp_ns == stamp_ns(1)
        assert [timing.network_ms for timing in recording.timings] == [0.5, 2.5, 3.5]
        assert [timing.stamp_ns for timing in recording.timings] == [stamp_ns(0), stamp_ns(2), stamp_ns(3)]
        assert recording.size_bytes == sum(file.stat().st_size for file in path.iterdir())


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8'])
def test_padded_rows_and_colour_order(write_bag: WriteBag, encoding: str) -> None:
    def padded(writer: Any) -> None:
        writer.image('/image', 0, camera_pixels(0), padding=5, encoding=encoding)
        writer.image('/segmentation/mask', 0, mask_pixels(7), padding=3)

    with FrameReader(write_bag(padded)) as recording:
        frame, = recording.frames()
    expected = camera_pixels(0) if encoding == 'rgb8' else camera_pixels(0)[..., ::-1]
    np.testing.assert_array_equal(frame.rgb, expected)
    np.testing.assert_array_equal(frame.labels, mask_pixels(7))


def test_a_recording_without_timing_has_none(write_bag: WriteBag) -> None:
    with FrameReader(write_bag(lambda writer: writer.image('/image', 0, camera_pixels(0)))) as recording:
        assert recording.timings == []
        with pytest.raises(BagError, match='no images on /segmentation/mask; it has /image'):
            next(recording.frames())


def test_other_encodings_are_rejected(write_bag: WriteBag) -> None:
    def fill_16_bit(writer: Any) -> None:
        writer.image('/image', 0, camera_pixels(0), encoding='rgb16')
        writer.image('/segmentation/mask', 0, mask_pixels(1))

    with FrameReader(write_bag(fill_16_bit)) as recording, pytest.raises(BagError, match='rgb16'):
        list(recording.frames())


def test_a_missing_bag_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r'\A.*none.*\Z'):       # a dot does not match a line break
        FrameReader(tmp_path / 'none')
