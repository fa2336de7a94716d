# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fuzzing of the installed node over DDS: each random image is segmented or refused, and none harms the node.

    FANET_ROS_FUZZ=2000 python -m pytest test/system/test_fuzz.py -s     # number of messages per transport; prints outcomes

The expected result of each message is computed in this process, from the same serialised message.
"""
from __future__ import annotations

import array
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional, Union

import cv2
import numpy as np
import pytest
import torch
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from image_helpers import pixels
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.images.bit_depth import BitDepth
from fanet_ros.inference import Segmenter
from fanet_ros.ros.common.image_conversion import FORMATS, SEMI_PLANAR, ImageError, raw_image

MESSAGES = int(os.environ.get('FANET_ROS_FUZZ', '120'))
CAMERAS = tuple('abcdefgh')     # each has its own slot in the node, so that no frame of a round replaces another
NETWORK_SIZE = {'input_height': 96, 'input_width': 128}
ROUNDS_BETWEEN_GOOD_ONES = 6
MEMORY_GROWTH_BYTES = 256 * 2**20

Message = Union[Image, CompressedImage]
KNOWN = (*FORMATS, *SEMI_PLANAR)
STRANGE = ('', 'RGB8', ' rgb8', 'rgb8 ', 'bgr8; jpeg compressed bgr8', 'nv24', 'yuv444', '32FC1', '64FC4', '8SC3',
           '16SC1', '8UC0', '8UC200', '8UC99999999999', 'TYPE_32FC1', 'bayer_rggb', 'ргб8', '\x1b[31m', '%s%n',
           '🤖' * 99, 'rgb8' * 20_000)
NUMBERS = (0, 1, 2, 3, 7, 32, 255, 4096, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)


def random_image(random: np.random.Generator, height: int, width: int, channels: int = 3) -> np.ndarray:
    """Random coloured rectangles, (height, width, channels) uint8, for which the untrained network predicts many classes."""
    coarse = random.integers(0, 256, (4, 5, channels), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST).reshape(height, width, channels)


def some_size(random: np.random.Generator) -> tuple[int, int]:
    """Random height and width: mostly small, sometimes one pixel, one row or one column."""
    small = int(random.integers(1, 50)), int(random.integers(1, 50))
    return (small, small, small, (1, 1), (1, int(random.integers(1, 70_000))),
            (int(random.integers(1, 70_000)), 1))[random.integers(6)]


def some_header(random: np.random.Generator) -> Header:
    """Random header, including extreme stamps and frame_ids."""
    frame_id = ('', 'camera', '/camera', 'камера\n\x01', '光' * 3_000, 'x' * 60_000)[random.integers(6)]
    return Header(frame_id=frame_id, stamp=Time(sec=int(random.choice((-2**31, -1, 0, 1, 10**9, 2**31 - 1))),
                                                nanosec=int(random.choice((0, 1, 10**9 - 1, 10**9, 2**32 - 1)))))


def some_image(random: np.random.Generator) -> Image:
    """A valid image of random encoding with zero to two random faults."""
    height, width = some_size(random)
    encoding = str(random.choice(KNOWN if random.random() < 0.9 else STRANGE))
    known = FORMATS.get(encoding)
    row = width if encoding in SEMI_PLANAR else width * (known.channels * known.bits // 8 if known else 3)
    step = row + int(random.choice((0, 0, 1, 64)))
    rows = height * 3 // 2 if encoding in SEMI_PLANAR else height
    message = Image(header=some_header(random), height=height, width=width, encoding=encoding, step=step,
                    is_bigendian=int(random.choice((0, 1, 2, 255))), data=array.array('B', random.bytes(rows * step)))
    for _ in range(random.integers(3)):
        random.choice((other_number, other_encoding, other_data))(message, random)
    return message


def other_number(message: Image, random: np.random.Generator) -> None:
    value = int(random.choice(NUMBERS) if random.random() < 0.7 else random.integers(0, 100))
    setattr(message, str(random.choice(('height', 'width', 'step'))), value)


def other_encoding(message: Image, random: np.random.Generator) -> None:
    message.encoding = str(random.choice(KNOWN + STRANGE))


def other_data(message: Image, random: np.random.Generator) -> None:
    data = bytes(message.data)
    message.data = array.array('B', (b'', data[:random.integers(len(data) + 1)], data + random.bytes(7), data[:-1],
                                     random.bytes(int(random.integers(3_000))))[random.integers(5)])


def some_compressed_image(random: np.random.Generator) -> CompressedImage:
    """A JPEG or PNG file, valid, corrupted or truncated, with a random format name."""
    suffix = str(random.choice(('.jpg', '.png')))
    pixels = random_image(random, *some_size(random), int(random.choice((1, 3))))
    encoded, file = cv2.imencode(suffix, pixels[:65_000, :65_000])      # limit of JPEG
    assert encoded
    data = file.tobytes()
    for _ in range(random.integers(3)):
        data = spoilt(data, random)
    name = str(random.choice(('jpeg', 'png', '', 'rgb8; jpeg compressed bgr8', 'mp4', '图', 'x' * 60_000)))
    return CompressedImage(header=some_header(random), format=name, data=array.array('B', data))


def spoilt(data: bytes, random: np.random.Generator) -> bytes:
    """Data with changed or inserted bytes, truncated at either end, with a wrong size in its header, or replaced."""
    first, last = sorted(random.integers(0, len(data) + 1, 2))
    junk, few = random.bytes(int(random.choice((0, 1, 2, 300, 2_000)))), random.bytes(int(random.integers(1, 4)))
    return (data[:first] + few + data[first + len(few):], data[:last] + few + data[last + len(few):], data[:last],
            data[first:], data[first:last], data[:first] + junk + data[first:], enlarged(data, random),
            junk)[random.integers(8)]


def enlarged(data: bytes, random: np.random.Generator) -> bytes:
    """The file with another image size in its header."""
    height, width = (int(value) for value in random.choice((0, 1, 100, 30_000, 65_535), 2))
    if data[:4] == b'\x89PNG' and len(data) > 33:
        head = data[12:16] + struct.pack('>II', width, height) + data[24:29]
        return data[:12] + head + struct.pack('>I', zlib.crc32(head)) + data[33:]
    frame = data.find(b'\xff\xc0')
    return data if frame < 0 else data[:frame + 5] + struct.pack('>HH', height, width) + data[frame + 9:]


class Counts(NamedTuple):
    """Frame counts of one camera, as reported by the node."""

    received: int
    segmented: int
    dropped: int
    rejected: int


@pytest.fixture(name='segmenter', scope='module')
def segmenter_fixture(small_checkpoint: Path) -> Iterator[Segmenter]:
    """Fixed network size, like the fuzzed nodes: otherwise an engine would be built for nearly every image."""
    threads = torch.get_num_threads()
    yield Segmenter.from_checkpoint(small_checkpoint, device='cpu', engine='torch', num_threads=1, **NETWORK_SIZE)
    torch.set_num_threads(threads)


class FuzzedNode:
    """A node with many cameras. A round sends one message per camera and ends once the node has processed all."""

    def __init__(self, transport: str, client: Any, start_executable: Callable[..., Any],
                 make_camera: Callable[..., Any], checkpoint: Path) -> None:
        raw = transport == 'raw'
        topics = [f'/fuzz_{transport}/{name}/image{"" if raw else "/compressed"}' for name in CAMERAS]
        parameters = {'checkpoint': checkpoint, 'device': 'cpu', 'engine': 'torch', 'num_threads': 1, **NETWORK_SIZE,
                      'cameras': f'[{",".join(CAMERAS)}]', 'image_transport': transport, 'diagnostics_period_s': 0.1,
                      # Otherwise large images may get lost, and the test counts every one.
                      **{f'qos_overrides.{topic}.subscription.reliability': 'reliable' for topic in topics}}
        self.process = start_executable(
            'segmentation_node', '--ros-args', '-r', f'__ns:=/fuzz_{transport}',
            *(part for name, value in parameters.items() for part in ('-p', f'{name}:={value}')))
        self._reports = client.collect(DiagnosticArray, '/diagnostics')
        self._name = f'fuzz_{transport}/segmentation: image segmentation of '
        self._client, self._make = client, some_image if raw else some_compressed_image
        self.good = random_image(np.random.default_rng(7), 60, 80)
        png = cv2.imencode('.png', self.good[..., ::-1])[1].tobytes()
        self._good = self.good if raw else CompressedImage(format='png', data=array.array('B', png))
        self._cameras = [make_camera(self.process, f'/fuzz_{transport}/segmentation/{name}', topic,
                                     Image if raw else CompressedImage) for name, topic in zip(CAMERAS, topics)]
        for camera in self._cameras:
            camera.connect(self._good)
        self._bit_depths = {camera: BitDepth() for camera in self._cameras}     # estimated from the images, like in the node
        self.outcomes: dict[str, int] = {'segmented': 0, 'rejected': 0}

    def counts(self) -> list[Counts]:
        """Counts of every camera from the newest diagnostics; empty before the first."""
        for report in reversed(self._reports):
            if report.status[0].name.startswith(self._name):
                values = [{entry.key: entry.value for entry in status.values} for status in report.status]
                return [Counts(*(int(value[f'frames {name}']) for name in Counts._fields)) for value in values]
        return []

    def settled_counts(self, received: Sequence[int]) -> list[Counts]:
        """Wait until `received` frames per camera have been received and processed; returns the counts."""
        self._client.wait_for(
            lambda: [count.received for count in self.counts()] == list(received) and all(
                count.received == count.segmented + count.dropped + count.rejected for count in self.counts()),
            f'{received} frames and what became of them', self.process)
        return self.counts()

    def answer_of(self, index: int) -> tuple[np.ndarray, Counts]:
        """Send a good frame to a camera; returns its labels and the counts of the camera."""
        mask, timing = self._cameras[index].answer_to(self._good)
        return pixels(mask), Counts(timing.frames_received, timing.frames_segmented, timing.frames_dropped,
                                    timing.frames_rejected)

    def take_round(self, random: np.random.Generator, segmenter: Segmenter) -> None:
        """Send one message per camera; expect each to be counted once, and segmented or refused as in this process."""
        before = self.counts()
        sent = [carried(self._make(random)) for _ in self._cameras]
        for camera, message in zip(self._cameras, sent):
            del camera.masks[:], camera.timings[:]
            camera.publisher.publish(message)
        after = self.settled_counts([count.received + 1 for count in before])
        del self._reports[:-1]
        for camera, message, old, new in zip(self._cameras, sent, before, after):
            rgb = self._decoded(message, self._bit_depths[camera])
            expected = old._replace(received=old.received + 1, segmented=old.segmented + (rgb is not None),
                                    rejected=old.rejected + (rgb is None))
            assert new == expected, f'{str(message)[:300]}\n{self.process.log[-1000:]}'
            self.outcomes['rejected' if rgb is None else 'segmented'] += 1
            if rgb is not None:
                mask = camera.wait_for_one(camera.masks, message.header)
                assert np.array_equal(pixels(mask), segmenter.segment(rgb).labels)

    def _decoded(self, message: Message, bit_depth: BitDepth) -> Optional[np.ndarray]:
        try:
            return raw_image(message, bit_depth=bit_depth, note=lambda text: None).rgb
        except ImageError:
            return None


def carried(message: Message) -> Message:
    """The message after serialisation and deserialisation."""
    return deserialize_message(serialize_message(message), type(message))


@pytest.mark.slow
@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_whatever_comes_is_segmented_or_refused_and_counted(
        transport: str, client: Any, start_executable: Callable[..., Any], make_camera: Callable[..., Any],
        small_checkpoint: Path, segmenter: Segmenter) -> None:
    node = FuzzedNode(transport, client, start_executable, make_camera, small_checkpoint)
    good_labels = segmenter.segment(node.good).labels
    begin = [node.answer_of(index)[1] for index in range(len(CAMERAS))]
    node.settled_counts([count.received for count in begin])
    memory, random = [node.process.resident_bytes], np.random.default_rng(20)
    rounds, good = -(-MESSAGES // len(CAMERAS)), [0] * len(CAMERAS)
    for number in range(rounds):
        if number % ROUNDS_BETWEEN_GOOD_ONES == ROUNDS_BETWEEN_GOOD_ONES - 1:
            index = number // ROUNDS_BETWEEN_GOOD_ONES % len(CAMERAS)
            labels, counts = node.answer_of(index)
            assert np.array_equal(labels, good_labels)
            good[index] += 1
            memory.append(node.process.resident_bytes)
            node.settled_counts([count.received + number + more for count, more in zip(begin, good)])
        node.take_round(random, segmenter)
    for index, count in enumerate(begin):
        labels, counts = node.answer_of(index)
        assert np.array_equal(labels, good_labels)
        assert counts.received == count.received + rounds + good[index] + 1 and counts.dropped == count.dropped
    memory.append(node.process.resident_bytes)
    print(f'\n{transport}: {rounds * len(CAMERAS)} messages, {node.outcomes}, resident MiB: '
          f'{[value // 2**20 for value in memory]}')
    assert min(node.outcomes.values()) > MESSAGES // 10 and memory[-1] < memory[0] + MEMORY_GROWTH_BYTES
    assert node.process.stop() == 0
    assert 'Traceback' not in node.process.log and 'frame failed' not in node.process.log
