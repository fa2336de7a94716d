# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The size of an image file is known before it is decoded, so that a false one costs no memory."""
import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fanet_ros.images.decoding import ImageError, to_rgb
from fanet_ros.images.encoded_size import encoded_size

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)
JPEG, PNG = (cv2.imencode(suffix, PIXELS)[1].tobytes() for suffix in ('.jpg', '.png'))


def with_size(data: bytes, height: int, width: int) -> bytes:
    """The same file, claiming another size."""
    if data.startswith(b'\x89'):
        return data[:16] + struct.pack('>II', width, height) + data[24:]
    place = data.index(b'\xff\xc0') + 5
    return data[:place] + struct.pack('>HH', height, width) + data[place + 4:]


@pytest.mark.parametrize('options', [
    [], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1], [cv2.IMWRITE_JPEG_RST_INTERVAL, 1]],
    ids=['baseline', 'progressive', 'restarts'])
@pytest.mark.parametrize('pixels', [PIXELS, PIXELS[..., 0]], ids=['colour', 'grey'])
def test_jpeg(pixels: np.ndarray, options: list[int]) -> None:
    assert encoded_size(cv2.imencode('.jpg', pixels, options)[1].tobytes()) == (37, 53)


@pytest.mark.parametrize('pixels', [PIXELS, PIXELS[..., 0], PIXELS.astype(np.uint16)],
                         ids=['colour', 'grey', '16 bits'])
def test_png(pixels: np.ndarray) -> None:
    assert encoded_size(cv2.imencode('.png', pixels)[1].tobytes()) == (37, 53)


def test_a_comment_that_looks_like_a_size_is_skipped() -> None:
    fake = b'\xff\xc0\x00\x11\x08\xff\xff\xff\xff' * 9
    comment = b'\xff\xfe' + struct.pack('>H', len(fake) + 2) + fake
    assert encoded_size(JPEG[:2] + comment + b'\xff' + JPEG[2:]) == (37, 53)


@pytest.mark.parametrize('data', [b'', b'\xff\xd8', b'\xff\xd8\xff', PNG[:20], JPEG[:30], b'BM' + bytes(99), bytes(999),
                                  b'\xff\xd8' + b'\xff' * 500, b'\xff\xd8\xff\xe0\x00\x00' * 50])
def test_a_file_without_a_size(data: bytes) -> None:
    assert encoded_size(data) is None


@pytest.mark.parametrize('data', [JPEG, PNG], ids=['jpeg', 'png'])
def test_an_image_larger_than_any_cameras_is_refused_undecoded(
        data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, 'imdecode', lambda *_: pytest.fail('decoded'))
    with pytest.raises(ImageError, match='claims to be 30000x20000, expected at most 67108864 pixels'):
        to_rgb(SimpleNamespace(format='jpeg', data=with_size(data, 20_000, 30_000)))


def test_images_of_the_claimed_size_are_decoded() -> None:
    assert to_rgb(SimpleNamespace(format='', data=PNG)).shape == (37, 53, 3)
    large = cv2.imencode('.jpg', np.zeros((300, 400, 3), np.uint8))[1].tobytes()
    assert to_rgb(SimpleNamespace(format='', data=large)).shape == (300, 400, 3)


@pytest.mark.parametrize('first', [(255, 216, 150), (255, 216, 255)])
def test_a_sky_whose_first_bytes_are_those_of_a_jpeg_is_an_image(first: tuple[int, int, int]) -> None:
    green = np.clip(np.random.default_rng(0).normal(206, 6, (480, 640)), 0, 255).astype(np.uint8)
    bgr = np.stack([np.full_like(green, 255), green, np.full_like(green, 150)], -1)
    bgr[0, 0] = first
    sky = SimpleNamespace(encoding='bgr8', height=480, width=640, step=1920, is_bigendian=0, data=bgr.tobytes())
    assert encoded_size(sky.data[:2**17]) is not None       # what a decoder that skips damage would make of it
    np.testing.assert_array_equal(to_rgb(sky), bgr[..., ::-1])


@pytest.mark.parametrize('data', [
    JPEG, PNG, JPEG[:2] + b'\xff' + JPEG[2:], cv2.imencode('.jpg', PIXELS[..., 0])[1].tobytes(),
    cv2.imencode('.jpg', PIXELS, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()],
    ids=['jpeg', 'png', 'fill byte', 'grey', 'progressive'])
def test_a_file_sent_as_pixels_is_refused(data: bytes) -> None:
    sent = SimpleNamespace(encoding='rgb8', height=37, width=53, step=159, is_bigendian=0, data=data.ljust(37 * 159, b'\0'))
    with pytest.raises(ImageError, match='the data are a (JPEG|PNG) file'):
        to_rgb(sent)
