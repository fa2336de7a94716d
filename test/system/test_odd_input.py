# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed segmentation node understands every encoding, and refuses what it cannot use, with a reason, without any harm."""
from __future__ import annotations

import array
import time
from collections.abc import Callable
from typing import Any, Optional

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from image_helpers import blotches, pixels, wide
from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.inference import Segmenter
from fanet_ros.ros.segmentation.camera_input import HAS_MESSAGE_INFO

HEIGHT, WIDTH = 60, 80


def image(encoding: str, pixels: np.ndarray, padding: int = 0, **changes: Any) -> Image:
    """A message with `pixels` (rows first), `padding` bytes after each row, and fields overridden by `changes`."""
    rows = np.ascontiguousarray(pixels).reshape(pixels.shape[0], -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    message = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=rows.shape[1],
                    data=array.array('B', rows.tobytes()))
    for name, value in changes.items():
        setattr(message, name, value)
    return message


def picture(rgb: np.ndarray, suffix: str = '.png', data: Optional[bytes] = None, name: str = '') -> CompressedImage:
    """`rgb` as a compressed image, or `data` in its place."""
    if data is None:
        data = cv2.imencode(suffix, rgb[..., ::-1])[1].tobytes()
    return CompressedImage(format=name, data=array.array('B', data))


def described(message: Image) -> str:
    """How log and diagnostics describe an image."""
    return (f'image of encoding {message.encoding[:40]!r}, {message.width}x{message.height}, '
            f'step {message.step}, {len(message.data)} bytes')


RGB = blotches(0, HEIGHT, WIDTH)
GOOD = blotches(1, HEIGHT, WIDTH)     # a valid frame, to check that the node still works


class Node:
    """A running segmentation node with a camera and its diagnostics."""

    def __init__(self, camera: Any, name: str, good: Any, reports: list[DiagnosticArray]) -> None:
        self.camera, self.client, self.process, self.good = camera, camera.client, camera.process, good
        self._name, self._reports = f'{name.lstrip("/")}: image segmentation', reports
        self.camera.connect(good)
        self.client.wait_for(lambda: self.status() is not None, 'diagnostics', self.process)

    def status(self) -> Optional[DiagnosticStatus]:
        """Its latest report; None before the first."""
        return next((report.status[0] for report in reversed(self._reports) if report.status[0].name == self._name),
                    None)

    def count(self, key: str) -> int:
        """A count of its latest report."""
        return next((int(entry.value) for entry in self.status().values if entry.key == key), 0)

    def rejects(self, send: Callable[[], Any], kind: str, what: str) -> np.ndarray:
        """Expect the message of `send` to be refused, counted and explained; returns the labels of the next good frame.

        :param kind: category under which it is counted
        :param what: part of the reported message, which describes the image
        """
        rejected = self.camera.answer_to(self.good)[1].frames_rejected
        self.client.wait_for(lambda: self.count('frames rejected') >= rejected, 'the earlier rejections', self.process)
        of_kind = self.count(f'frames rejected: {kind}')
        send()
        # A waiting frame may be replaced: send the good one only once the bad one has been processed.
        self.client.wait_for(lambda: self.count('frames rejected') > rejected, 'the rejection', self.process)
        assert self.count(f'frames rejected: {kind}') == of_kind + 1
        assert self.status().level == DiagnosticStatus.WARN and what in self.status().message
        mask, timing = self.camera.answer_to(self.good)
        assert timing.frames_rejected == rejected + 1
        return pixels(mask)

    def logs(self, message: Any, what: str) -> None:
        """Expect the log to name `message`; sent repeatedly, because the log is throttled to one line per second."""
        self.client.wait_for(lambda: f'frame rejected: {what}' in self.process.log or not self.camera.send(message),
                             f'the log to name "{what}"', self.process)


@pytest.fixture(name='nodes', scope='module')
def nodes_fixture(client: Any, start_segmentation: Callable[..., Any], make_camera: Callable[..., Any]) -> dict[str, Node]:
    """Two nodes, one for raw and one for compressed images."""
    reports = client.collect(DiagnosticArray, '/diagnostics')
    processes = {transport: start_segmentation(f'image_transport:={transport}', 'diagnostics_period_s:=0.1',
                                               rules=[f'__ns:=/{transport}']) for transport in ('raw', 'compressed')}
    raw = make_camera(processes['raw'], '/raw/segmentation', '/raw/image')
    compressed = make_camera(processes['compressed'], '/compressed/segmentation', '/compressed/image/compressed',
                             CompressedImage)
    return {'raw': Node(raw, '/raw/segmentation', GOOD, reports),
            'compressed': Node(compressed, '/compressed/segmentation', picture(GOOD), reports)}


@pytest.fixture(name='node', scope='module')
def node_fixture(nodes: dict[str, Node]) -> Node:
    return nodes['raw']


@pytest.fixture(name='good_labels', scope='module')
def good_labels_fixture(segmenter: Segmenter) -> np.ndarray:
    return segmenter.segment(GOOD).labels


def test_frames_of_these_tests_reveal_swapped_channels(segmenter: Segmenter) -> None:
    labels = segmenter.segment(RGB).labels
    assert len(np.unique(labels)) >= 4
    for wrong in (BGR, RGB[..., [0, 2, 1]], GREY, FROM_YUYV, np.repeat(RGB[..., 1:2], 3, 2), np.roll(RGB, 3, 1)):
        assert not np.array_equal(segmenter.segment(np.ascontiguousarray(wrong)).labels, labels)


ALPHA = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8)
BGR, RGBA, BGRA = RGB[..., ::-1], np.dstack([RGB, ALPHA]), np.dstack([RGB[..., ::-1], ALPHA])
Y = RGB[..., 0]
GREY = np.dstack([Y] * 3)
# These OpenCV names give the pattern from the first pixel on, like ROS.
BAYER = {pattern: cv2.demosaicing(Y, getattr(cv2, f'COLOR_Bayer{pattern.upper()}2RGB'))
         for pattern in ('rggb', 'bggr', 'gbrg', 'grbg')}
I420 = cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_I420)        # Y plane, then U, then V
U, V = I420[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
NV12, NV21 = (np.vstack([I420[:HEIGHT], np.dstack(pair).reshape(HEIGHT // 2, WIDTH)]) for pair in ((U, V), (V, U)))
FROM_I420 = cv2.cvtColor(I420, cv2.COLOR_YUV2RGB_I420)
YUYV = np.ascontiguousarray(blotches(5, HEIGHT, WIDTH)[..., :2])
UYVY, FROM_YUYV = YUYV[..., ::-1], cv2.cvtColor(YUYV, cv2.COLOR_YUV2RGB_YUYV)
ODD, LONG = blotches(4, 61, 79), np.tile(RGB[:1], (1, 500, 1))

UNDERSTOOD: dict[str, tuple[Image, np.ndarray]] = {
    'rgb8': (image('rgb8', RGB), RGB),
    'rgb8 padded': (image('rgb8', RGB, padding=5), RGB),
    'rgb8 said to be big-endian': (image('rgb8', RGB, is_bigendian=1), RGB),
    'rgb8 of one pixel': (image('rgb8', RGB[:1, :1], height=1, width=1), RGB[:1, :1]),
    'rgb8 with far more padding than pixels': (image('rgb8', RGB, padding=1000), RGB),
    'rgb8 of odd size': (image('rgb8', ODD, height=61, width=79), ODD),
    'rgb8, one long row': (image('rgb8', LONG, height=1, width=40000), LONG),
    'bgr8': (image('bgr8', BGR), RGB),
    'bgr8 padded': (image('bgr8', BGR, padding=1), RGB),
    'rgba8': (image('rgba8', RGBA), RGB),
    'bgra8': (image('bgra8', BGRA), RGB),
    'bgra8 padded': (image('bgra8', BGRA, padding=3), RGB),
    '8UC3': (image('8UC3', BGR), RGB),
    '8UC4': (image('8UC4', BGRA), RGB),
    '8UC1': (image('8UC1', Y), GREY),
    'mono8': (image('mono8', Y), GREY),
    'mono8 padded': (image('mono8', Y, padding=3), GREY),
    '16UC1': (image('16UC1', wide(Y)), GREY),
    'mono16': (image('mono16', wide(Y)), GREY),
    'mono16 padded': (image('mono16', wide(Y), padding=6), GREY),
    'mono16 big-endian': (image('mono16', wide(Y, '>'), is_bigendian=1), GREY),
    'rgb16': (image('rgb16', wide(RGB)), RGB),
    'rgb16 big-endian padded': (image('rgb16', wide(RGB, '>'), padding=9, is_bigendian=1), RGB),
    'bgr16': (image('bgr16', wide(BGR)), RGB),
    'bgr16 big-endian': (image('bgr16', wide(BGR, '>'), is_bigendian=1), RGB),
    'rgba16': (image('rgba16', wide(RGBA)), RGB),
    'bgra16 big-endian': (image('bgra16', wide(BGRA, '>'), is_bigendian=1), RGB),
    **{f'bayer_{pattern}8': (image(f'bayer_{pattern}8', Y), rgb) for pattern, rgb in BAYER.items()},
    **{f'bayer_{pattern}16': (image(f'bayer_{pattern}16', wide(Y)), rgb) for pattern, rgb in BAYER.items()},
    'bayer_grbg8 padded': (image('bayer_grbg8', Y, padding=5), BAYER['grbg']),
    'bayer_rggb16 big-endian padded': (
        image('bayer_rggb16', wide(Y, '>'), padding=2, is_bigendian=1), BAYER['rggb']),
    'bayer_gbrg16 big-endian': (image('bayer_gbrg16', wide(Y, '>'), is_bigendian=1), BAYER['gbrg']),
    **{name: (image(name, UYVY), FROM_YUYV) for name in ('yuv422', 'uyvy')},
    **{name: (image(name, YUYV), FROM_YUYV) for name in ('yuv422_yuy2', 'yuyv')},
    'yuyv padded': (image('yuyv', YUYV, padding=64), FROM_YUYV),
    'nv12': (image('nv12', NV12), FROM_I420),
    'nv12 padded': (image('nv12', NV12, padding=16), FROM_I420),
    'nv21': (image('nv21', NV21), FROM_I420),
}


@pytest.mark.parametrize('name', UNDERSTOOD)
def test_understood(node: Node, segmenter: Segmenter, name: str) -> None:
    message, rgb = UNDERSTOOD[name]
    expected = segmenter.segment(np.ascontiguousarray(rgb))
    mask, _ = node.camera.answer_at(message, (expected.input_height, expected.input_width))
    assert np.array_equal(pixels(mask), expected.labels)


NOTHING = np.empty((1, 0), np.uint8)
REFUSED: dict[str, tuple[Image, str]] = {
    'unknown encoding': (image('nonsense', RGB), 'unknown encoding'),
    'no encoding': (image('', RGB), 'unknown encoding'),
    'encoding of other letters': (image('рgb8\n\t', RGB), 'unknown encoding'),
    'float with a NaN': (image('32FC1', np.full((HEIGHT, WIDTH), np.nan, np.float32)), 'unknown encoding'),
    'packet of a video': (image('x264', RGB), 'video packet'),
    'control characters': (image('rgb8\n\x1b[31m', RGB), 'unknown encoding'),
    'very long encoding': (image('long' * 50_000, RGB), 'unknown encoding'),
    'nothing at all': (Image(), 'empty image'),
    'no height': (image('rgb8', NOTHING, height=0), 'empty image'),
    'no width': (image('rgb8', NOTHING, width=0), 'empty image'),
    'no data': (image('rgb8', NOTHING, step=3 * WIDTH), 'data length does not fit'),
    'data too short': (image('rgb8', RGB[:-1]), 'data length does not fit'),
    'data too long': (image('rgb8', np.vstack([RGB, RGB[:1]])), 'data length does not fit'),
    'step of zero': (image('rgb8', RGB, step=0), 'step too small'),
    'step smaller than a row': (image('rgb8', RGB, step=3 * WIDTH - 1), 'step too small'),
    'mono16 with the bytes of mono8': (image('mono16', Y), 'step too small'),
    'nv12 without its colours': (image('nv12', Y), 'data length does not fit'),
    'last row without padding': (
        image('mono8', Y, step=WIDTH + 4, data=array.array('B', bytes(HEIGHT * (WIDTH + 4) - 4))),
        'data length does not fit'),
    'huge size, little data': (
        image('mono8', Y, height=2**32 - 1, width=2**32 - 1, step=2**32 - 1), 'data length does not fit'),
    'huge rows': (image('mono8', Y, height=2**32 - 1, width=1, step=1), 'data length does not fit'),
    'as large as can be said': (image('rgb8', RGB, height=2**32 - 1, width=2**32 - 1, step=2**32 - 1), 'step too small'),
    'huge nv21': (image('nv21', NV21, height=2**32 - 2, width=2**32 - 2, step=2**32 - 1), 'data length does not fit'),
    'huge unknown': (image('64FC4', RGB, height=2**32 - 1, width=2**32 - 1), 'unknown encoding'),
    'huge width, little step': (image('rgba16', RGB, height=2**31, width=2**31), 'step too small'),
    'yuyv of odd width': (image('yuyv', YUYV, width=WIDTH - 1), 'odd size'),
    'uyvy of odd width': (image('uyvy', UYVY[:, :-1], width=WIDTH - 1), 'odd size'),
    'nv12 of odd height': (image('nv12', NV12, height=HEIGHT - 1), 'odd size'),
    'bayer of two pixels': (image('bayer_rggb8', Y[:2, :2], height=2, width=2), 'image too small'),
    'bayer of two rows': (image('bayer_rggb16', wide(Y[:2]), height=2), 'image too small'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_diagnostics_describe_the_refused_image(node: Node, good_labels: np.ndarray, name: str) -> None:
    message, kind = REFUSED[name]
    labels = node.rejects(lambda: node.camera.send(message), kind, described(message))
    assert np.array_equal(labels, good_labels)


@pytest.mark.parametrize('name', ['control characters', 'very long encoding', 'nothing at all',
                                  'huge size, little data', 'huge width, little step'])
def test_the_log_describes_the_refused_image(node: Node, name: str) -> None:
    message, _ = REFUSED[name]
    node.logs(message, described(message))
    assert max(len(line) for line in node.process.log.splitlines()) < 500       # no 200 kB of encoding


def test_it_refuses_an_encoding_that_is_not_utf8(node: Node, good_labels: np.ndarray) -> None:
    raw = serialize_message(image('bytes', RGB)).replace(b'bytes', b'\xff\xc3\x80\xed\xa0')
    labels = node.rejects(lambda: node.camera.publisher.publish(raw), 'unknown encoding',
                          f'{WIDTH}x{HEIGHT}, step {3 * WIDTH}')
    assert np.array_equal(labels, good_labels)


def test_a_truncated_message_does_no_harm(node: Node, good_labels: np.ndarray) -> None:
    before = node.camera.answer_to(GOOD)[1]
    raw = serialize_message(image('rgb8', RGB))
    for size in (0, 4, 20, 60, len(raw) // 2):
        node.camera.publisher.publish(raw[:size])
    mask, after = node.camera.answer_to(GOOD)
    assert np.array_equal(pixels(mask), good_labels)
    assert after.frames_segmented == before.frames_segmented + 1


PNG, JPEG = (picture(RGB, suffix).data.tobytes() for suffix in ('.png', '.jpg'))
UNREADABLE: dict[str, bytes] = {
    'nothing': b'',
    'one byte': b'\xff',
    'zeros': bytes(100),
    'JPEG by its first bytes': b'\xff\xd8\xff\xe0 not a picture',
    'cut JPEG': JPEG[:60],
    'not an image': bytes(range(256)) * 20,
    'JPEG without its head': JPEG[200:],
    'JPEG with a broken table': JPEG[:25] + b'\xff' * 100 + JPEG[125:],
    'PNG of its head only': PNG[:40],
    'PNG that says 30000 x 30000': PNG[:16] + b'\0\0\x75\x30\0\0\x75\x30' + PNG[24:],
}


@pytest.mark.parametrize('name', UNREADABLE)
def test_diagnostics_name_an_unreadable_image(nodes: dict[str, Node], good_labels: np.ndarray, name: str) -> None:
    node, data = nodes['compressed'], UNREADABLE[name]
    message = picture(RGB, data=data, name=name)
    what = f'compressed image of format {name!r}, {len(data)} bytes'
    assert np.array_equal(node.rejects(lambda: node.camera.send(message), 'unreadable image', what), good_labels)


def test_the_log_names_an_unreadable_image(nodes: dict[str, Node]) -> None:
    nodes['compressed'].logs(picture(RGB, data=b'12345', name='x' * 50_000),
                             f"compressed image of format '{'x' * 40}', 5 bytes")


@pytest.mark.parametrize(('suffix', 'name'), [
    ('.png', 'rgb8; png compressed rgb8'), ('.jpg', 'jpeg'), ('.bmp', ''), ('.png', 'long' * 50_000)])
def test_compressed_images_are_recognised_by_their_data(
        nodes: dict[str, Node], segmenter: Segmenter, suffix: str, name: str) -> None:
    message = picture(RGB, suffix, name=name)
    bgr = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
    mask, _ = nodes['compressed'].camera.answer_to(message)
    assert np.array_equal(pixels(mask), segmenter.segment(np.ascontiguousarray(bgr[..., ::-1])).labels)


def test_a_flood_is_logged_about_once_a_second(node: Node) -> None:
    before, sent = node.camera.answer_to(GOOD)[1], []
    flood = image('flood', RGB)
    logged, start = node.process.log.count('frame rejected'), time.monotonic()
    node.client.wait_for(lambda: sent.append(node.camera.send(flood)) or (
        len(sent) >= 200 and node.count('frames rejected') >= before.frames_rejected + 50), '50 rejections', node.process)
    after = node.camera.answer_to(GOOD)[1]
    received = after.frames_received - before.frames_received - 1
    assert received == len(sent) if HAS_MESSAGE_INFO else received <= len(sent)     # Humble does not report what was replaced
    assert received == sum(getattr(after, name) - getattr(before, name) for name in ('frames_rejected', 'frames_dropped'))
    elapsed_s = time.monotonic() - start
    assert node.process.log.count('frame rejected') - logged <= elapsed_s + 2


def test_both_nodes_exit_cleanly_afterwards(nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        assert node.process.stop() == 0
        assert 'Traceback' not in node.process.log and 'frame failed' not in node.process.log
