"""Image messages of every kind against known pixels."""
import array

import numpy as np
import pytest
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.ros.frame_slot import FrameSlot
from fanet_ros.ros.image_conversion import ImageError, image_to_rgb, labels_to_image_message, rgb_to_image_message

RGB = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)


def _image(pixels: np.ndarray, encoding: str, padding: int = 0, big_endian: bool = False) -> Image:
    rows = np.ascontiguousarray(pixels).reshape(4, -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    return Image(height=4, width=6, encoding=encoding, step=rows.shape[1], is_bigendian=int(big_endian),
                 data=array.array('B', rows.tobytes()))


@pytest.mark.parametrize('padding', [0, 5])
def test_color_encodings(padding: int) -> None:
    alpha = np.full((4, 6, 1), 9, np.uint8)
    for encoding, pixels in (('rgb8', RGB), ('bgr8', RGB[..., ::-1]), ('rgba8', np.dstack([RGB, alpha])),
                             ('bgra8', np.dstack([RGB[..., ::-1], alpha]))):
        assert np.array_equal(image_to_rgb(_image(pixels, encoding, padding)), RGB), encoding


def test_grey_and_sixteen_bit() -> None:
    grey = np.repeat(RGB[..., :1], 3, 2)
    assert np.array_equal(image_to_rgb(_image(RGB[..., 0], 'mono8')), grey)
    wide = RGB[..., 0].astype(np.uint16) << 8
    assert np.array_equal(image_to_rgb(_image(wide.astype('<u2'), 'mono16')), grey)
    assert np.array_equal(image_to_rgb(_image(wide.astype('>u2'), 'mono16', big_endian=True)), grey)


@pytest.mark.parametrize('change', [
    {'encoding': 'nonsense'}, {'height': 0}, {'width': 0}, {'step': 3}, {'data': array.array('B', b'12')}])
def test_bad_messages_are_refused(change: dict) -> None:
    message = _image(RGB, 'rgb8')
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError, match='encoding'):
        image_to_rgb(message)


def test_messages_round_trip() -> None:
    header = Header(frame_id='camera')
    message = rgb_to_image_message(RGB, header)
    assert np.array_equal(image_to_rgb(message), RGB) and message.header == header
    mask = labels_to_image_message(RGB[..., 0], header)
    assert (mask.encoding, mask.step) == ('mono8', 6) and bytes(mask.data) == RGB[..., 0].tobytes()


def test_slot_keeps_the_newest_and_counts() -> None:
    slot: 'FrameSlot[int]' = FrameSlot()
    for number in range(3):
        slot.put(number)
    assert (slot.take(), slot.dropped) == (2, 2)
    slot.close()
    assert slot.take() is None
