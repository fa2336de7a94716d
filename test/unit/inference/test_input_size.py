# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which size the network runs at for a frame."""
import pytest

from fanet_ros.inference.input_size import InputSize

OWN = (360, 480)


@pytest.mark.parametrize(('frame', 'expected'), [
    ((480, 640), OWN), ((720, 960), OWN), ((481, 640), OWN),            # the checkpoint's own shape: just as trained
    ((720, 1280), (320, 544)), ((1080, 1920), (320, 544)),              # 16:9
    ((512, 1024), (288, 576)), ((1024, 2048), (288, 576)),              # 2:1
    ((1280, 720), (544, 320)), ((640, 480), (480, 352)), ((500, 500), (416, 416)),
    ((10, 4000), (64, 2688)), ((4000, 10), (2688, 64))])                # too narrow for the network: squeezed
def test_as_many_pixels_in_the_frames_own_shape(frame: tuple[int, int], expected: tuple[int, int]) -> None:
    size = InputSize(0, 0, OWN).of(*frame)
    assert size == expected
    assert 0.9 < size[0] * size[1] / (OWN[0] * OWN[1]) < 1.1


@pytest.mark.parametrize(('given', 'expected'), [
    ((240, 320), (240, 320)), ((100, 200), (100, 200)),     # both given: that and nothing else
    ((240, 0), (240, 416)), ((0, 640), (352, 640))])        # one given: the other follows in the frame's shape
def test_what_is_given_stays(given: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputSize(*given, OWN).of(720, 1280) == expected


@pytest.mark.parametrize(('scale', 'frame', 'expected'), [
    (0.5, (720, 1280), (160, 288)), (0.5, (480, 640), (192, 256)), (0.75, (512, 1024), (224, 448))])
def test_a_share_of_it_is_on_each_side(scale: float, frame: tuple[int, int], expected: tuple[int, int]) -> None:
    assert InputSize(0, 0, OWN, scale).of(*frame) == expected


def test_the_largest_size_bounds_what_follows() -> None:
    assert InputSize(4096, 0, OWN).of(100, 1000) == (4096, 8192)
