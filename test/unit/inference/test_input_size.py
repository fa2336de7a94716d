# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Network input size for a frame."""
import pytest

from fanet_ros.inference.input_size import InputSize

OWN = (360, 480)


@pytest.mark.parametrize(('frame', 'expected'), [
    ((480, 640), OWN), ((720, 960), OWN), ((481, 640), OWN),            # the checkpoint's aspect ratio: the training resolution
    ((720, 1280), (320, 544)), ((1080, 1920), (320, 544)),              # 16:9
    ((512, 1024), (288, 576)), ((1024, 2048), (288, 576)),              # 2:1
    ((1280, 720), (544, 320)), ((640, 480), (480, 352)), ((500, 500), (416, 416)),
    ((10, 4000), (64, 2688)), ((4000, 10), (2688, 64))])                # too narrow for the network: squeezed
def test_size_keeps_the_pixel_count_at_the_frames_aspect_ratio(frame: tuple[int, int], expected: tuple[int, int]) -> None:
    size = InputSize(0, 0, OWN).of(*frame)
    assert size == expected
    assert 0.9 < size[0] * size[1] / (OWN[0] * OWN[1]) < 1.1


@pytest.mark.parametrize(('given', 'expected'), [
    ((240, 320), (240, 320)), ((100, 200), (100, 200)),     # both given: exactly that
    ((240, 0), (240, 416)), ((0, 640), (352, 640))])        # one given: the other follows the frame's aspect ratio
def test_given_sides_are_kept(given: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputSize(*given, OWN).of(720, 1280) == expected


@pytest.mark.parametrize(('scale', 'frame', 'expected'), [
    (0.5, (720, 1280), (160, 288)), (0.5, (480, 640), (192, 256)), (0.75, (512, 1024), (224, 448))])
def test_scale_applies_to_both_sides(scale: float, frame: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputSize(0, 0, OWN, scale).of(*frame) == expected


@pytest.mark.parametrize(('scale', 'expected'), [(0.5, (64, 672)), (1.0, (96, 1856)), (2.0, (192, 3712))])
def test_a_panorama_keeps_its_shape_and_its_number_of_pixels_at_any_scale_that_allows_it(scale: float,
                                                                                         expected: tuple[int, int]) -> None:
    assert InputSize(0, 0, OWN, scale).of(200, 4000) == expected


def test_derived_side_is_limited_to_the_largest_size() -> None:
    assert InputSize(4096, 0, OWN).of(100, 1000) == (4096, 8192)
