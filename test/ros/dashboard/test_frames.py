# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of one frame are joined with bounded memory, and encoded once."""
from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from fanet_ros.msg import FrameTiming
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.ros.common.image_conversion import ImageError, labels_to_image_message, rgb_to_image_message
from fanet_ros.ros.dashboard import frame_join
from fanet_ros.ros.dashboard.frame_hub import FrameHub
from fanet_ros.ros.dashboard.frame_join import FrameJoin, JoinedFrame
from fanet_ros.ros.dashboard.image_encoder import ImageEncoder
from fanet_ros.ros.dashboard.timing_log import KEPT, TimingLog

BOTH = frozenset({'camera', 'mask'})


def mono(height: int = 4, width: int = 6, value: int = 3) -> Image:
    return labels_to_image_message(np.full((height, width), value, np.uint8), Header())


def test_a_frame_is_emitted_once_all_subscribed_layers_have_arrived() -> None:
    join, camera, mask = FrameJoin(), mono(), mono()
    assert join.put('camera', 10, camera, BOTH) is None
    frame = join.put('mask', 10, mask, BOTH)
    assert frame is not None and frame.parts == {'camera': camera, 'mask': mask} and frame.stamp_ns == 10
    assert join.put('mask', 20, mask, BOTH) is None
    assert join.put('camera', 20, camera, BOTH).sequence == frame.sequence + 1


def test_an_incomplete_frame_is_emitted_with_the_next_mask() -> None:
    join = FrameJoin()
    assert join.put('mask', 10, mono(), BOTH) is None
    frame = join.put('mask', 20, mono(), BOTH)
    assert frame.stamp_ns == 10 and list(frame.parts) == ['mask']


def test_stamps_that_jump_back_or_are_zero_are_joined_too() -> None:
    join = FrameJoin()
    for stamp in (90, 10, 0, 0):
        join.put('camera', stamp, mono(), BOTH)
        assert join.put('mask', stamp, mono(), BOTH).stamp_ns == stamp


def test_camera_images_without_masks_are_limited_in_number_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    join = FrameJoin()
    for stamp in range(1000):
        join.put('camera', stamp, mono(), BOTH)
    assert len(join._waiting) == frame_join.MAX_WAITING
    monkeypatch.setattr(frame_join, 'MAX_WAITING_BYTES', 100)
    for stamp in range(1000, 1010):
        join.put('camera', stamp, mono(), BOTH)
    assert len(join._waiting) == frame_join.MIN_WAITING
    assert join.put('mask', 1009, mono(), BOTH).parts.keys() == BOTH


def test_the_mask_is_sent_losslessly_and_the_camera_image_as_jpeg() -> None:
    labels = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[..., 0] = 200
    frame = JoinedFrame(1, 0, {'mask': labels_to_image_message(labels, Header()), 'camera': rgb_to_image_message(rgb, Header())})
    encoder = ImageEncoder(960, 80)
    png = cv2.imdecode(np.frombuffer(encoder.encode(frame, 'mask').content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(png, labels)
    blob = encoder.encode(frame, 'camera')
    jpeg = cv2.imdecode(np.frombuffer(blob.content, np.uint8), cv2.IMREAD_COLOR)
    assert blob.mime == 'image/jpeg' and abs(int(jpeg[20, 20, 2]) - 200) < 4 and jpeg[20, 20, 0] < 4


def test_8k_is_scaled_to_the_maximum_width_and_labels_stay_labels() -> None:
    labels = np.zeros((4320, 8192), np.uint8)
    labels[:, 4096:] = 200
    frame = JoinedFrame(1, 0, {'mask': labels_to_image_message(labels, Header())})
    png = cv2.imdecode(np.frombuffer(ImageEncoder(960, 80).encode(frame, 'mask').content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert png.shape == (506, 960) and set(np.unique(png)) == {0, 200}


def test_a_small_camera_jpeg_is_passed_on_unmodified() -> None:
    jpeg = cv2.imencode('.jpg', np.zeros((20, 30, 3), np.uint8))[1].tobytes()
    frame = JoinedFrame(1, 0, {'camera': CompressedImage(format='jpeg', data=jpeg)})
    assert ImageEncoder(64, 80).encode(frame, 'camera').content == jpeg
    smaller = ImageEncoder(16, 80).encode(frame, 'camera').content
    assert cv2.imdecode(np.frombuffer(smaller, np.uint8), cv2.IMREAD_COLOR).shape == (11, 16, 3)


@pytest.mark.parametrize('change', [{'encoding': 'rgb8'}, {'height': 400}, {'step': 2}, {'width': 0}])
def test_an_invalid_mask_is_refused_with_a_reason(change: dict) -> None:
    message = mono()
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(ImageError, match='mask: expected a mono8 image'):
        ImageEncoder(64, 80).encode(JoinedFrame(1, 0, {'mask': message}), 'mask')


def test_an_image_is_encoded_once_for_all_viewers() -> None:
    encoded: list[str] = []

    class Counting(ImageEncoder):
        def encode(self, frame: JoinedFrame, layer: str):
            encoded.append(layer)
            return super().encode(frame, layer)

    async def look() -> None:
        with ThreadPoolExecutor(1) as workers:
            hub = FrameHub(Counting(64, 80), workers)
            assert await hub.images(['mask']) == (None, [])
            hub.offer(JoinedFrame(5, 0, {'mask': mono(), 'confidence': mono()}))
            answers = await asyncio.gather(*(hub.images(['mask', 'camera']) for _ in range(50)))
            assert encoded == ['mask'] and {answer[0].sequence for answer in answers} == {5}
            assert hub.has_newer(4) and not hub.has_newer(5)
            await hub.images(['mask', 'confidence'])
            assert encoded == ['mask', 'confidence']
    asyncio.run(look())


def test_a_broken_layer_is_reported_and_the_others_are_shown() -> None:
    async def look() -> None:
        with ThreadPoolExecutor(1) as workers:
            hub = FrameHub(ImageEncoder(64, 80), workers)
            broken = Image(encoding='no such', height=2, width=2, step=2, data=bytes(4))
            hub.offer(JoinedFrame(1, 0, {'mask': mono(), 'camera': broken}))
            _, blobs = await hub.images(['camera', 'mask'])
            assert [blob.layer for blob in blobs] == ['mask'] and 'no such' in hub.problem
            hub.offer(JoinedFrame(2, 0, {'mask': mono()}))
            await hub.images(['mask'])
            assert hub.problem == ''
    asyncio.run(look())


def test_timing_rows_are_returned_once_and_limited_in_number() -> None:
    log = TimingLog()
    message = FrameTiming(network_ms=12.5, frame_age_ms=float('nan'))
    message.header.stamp.sec = 2
    log.add(message, 3000.0)
    count, rows = log.since(-1)
    assert count == 1 and rows[0][:3] == [2000.0, 3000.0, None] and 12.5 in rows[0]
    assert log.since(1) == (1, [])
    for _ in range(2 * KEPT):
        log.add(message, 0.0)
    assert len(log.since(1)[1]) == KEPT and len(log.since(2 * KEPT)[1]) == 1
    assert len(log.since(10**9)[1]) == KEPT         # count from an earlier run of the dashboard
