# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed camera node over DDS: what it publishes from each source, and how it ends.

Where every frame matters, the camera is driven by simulated time, so that no frame is missed.
"""
from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from image_helpers import pixels
from rclpy.qos import ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.sources import SyntheticStreet

WIDTH, HEIGHT, SEED, RATE_HZ = 128, 96, 5, 10.0
PERIOD_NS = 100_000_000
STREET = {'width': WIDTH, 'height': HEIGHT, 'seed': SEED, 'rate_hz': RATE_HZ}


def stamp_ns(message: Any) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


class CameraUnderTest:
    """A camera node in its own namespace, and the messages it publishes."""

    def __init__(self, client: Any, start: Callable[..., Any], name: str, message_type: type = Image,
                 use_sim_time: bool = True, **parameters: Any) -> None:
        self.client, self.name = client, name
        compressed = message_type is CompressedImage
        self.images = client.collect(message_type, f'/{name}/image' + ('/compressed' if compressed else ''))
        self.truths = client.collect(Image, f'/{name}/ground_truth')
        values = {'use_sim_time': str(use_sim_time).lower(), **parameters}
        if compressed:
            values['transport'] = 'compressed'
        self.process = start('camera_node', '--ros-args', '-r', f'__ns:=/{name}', '-r', f'/clock:=/{name}/clock', *(
            item for parameter, value in values.items() for item in ('-p', f'{parameter}:={value}')))

    def play(self, count: int) -> None:
        """Advance simulated time by one period per frame until `count` frames have arrived with matching stamps."""
        clock = self.client.publisher(Clock, f'/{self.name}/clock')
        # Once it can answer a service call, the camera has also discovered the subscriptions above.
        self.client.get_parameters(f'/{self.name}/camera', 'rate_hz')
        for index in range(count):
            now = self._time(index)
            self.client.wait_for(lambda: len(self.images) > index or clock.publish(now) is not None, f'frame {index}')
        assert [stamp_ns(image) for image in self.images] == [(index + 1) * PERIOD_NS for index in range(count)]

    def ends(self) -> None:
        """Expect it to exit with code 0, without another frame or log line."""
        clock, count = self.client.publisher(Clock, f'/{self.name}/clock'), len(self.images)
        now = self._time(count)     # the end of a file is noticed when the next frame is due
        self.client.wait_for(lambda: not self.process.is_alive or clock.publish(now) is not None, 'the end')
        assert self.process.wait() == 0 and len(self.images) == count
        assert len(self.process.log.strip().splitlines()) == 1, self.process.log

    @staticmethod
    def _time(index: int) -> Clock:
        seconds, nanoseconds = divmod((index + 1) * PERIOD_NS, 10**9)
        return Clock(clock=Time(sec=seconds, nanosec=nanoseconds))

    def stop(self) -> None:
        """Stop it by a signal, which must not log anything either."""
        assert self.process.stop() == 0
        assert len(self.process.log.strip().splitlines()) == 1, self.process.log


@pytest.fixture(name='camera', scope='module')
def camera_fixture(client: Any, start_executable: Callable[..., Any]) -> Callable[..., CameraUnderTest]:
    def start(name: str, **arguments: Any) -> CameraUnderTest:
        return CameraUnderTest(client, start_executable, name, **arguments)
    return start


@pytest.fixture(name='street', scope='module')
def street_fixture() -> SyntheticStreet:
    return SyntheticStreet(WIDTH, HEIGHT, SEED, RATE_HZ)


def test_street_frames_and_ground_truth_are_published_exactly(
        client: Any, camera: Callable[..., CameraUnderTest], street: SyntheticStreet) -> None:
    under_test = camera('street', count=12, frame_id='front', **STREET)
    under_test.play(12)
    under_test.ends()
    client.wait_for(lambda: len(under_test.truths) == 12, 'the ground truth')
    for index, (image, truth) in enumerate(zip(under_test.images, under_test.truths)):
        frame = street.frame(index)
        assert image.header == truth.header and image.header.frame_id == 'front'
        assert (image.encoding, truth.encoding) == ('rgb8', 'mono8')
        assert np.array_equal(pixels(image), frame.rgb) and np.array_equal(pixels(truth), frame.labels), index
    assert not np.array_equal(pixels(under_test.images[0]), pixels(under_test.images[11]))


def test_qos_overrides_apply_and_unused_ones_are_reported(client: Any, camera: Callable[..., CameraUnderTest]) -> None:
    under_test = camera('lossy', use_sim_time=False, **STREET, **{
        'qos_overrides./lossy/image.publisher.reliability': 'best_effort', 'qos_overrides./lossy/imgae.publisher.depth': 1})
    client.wait_for(lambda: client.node.count_publishers('/lossy/camera_info') > 0, 'the camera', under_test.process)
    reliability = {topic: client.node.get_publishers_info_by_topic(f'/lossy/{topic}')[0].qos_profile.reliability
                   for topic in ('image', 'camera_info')}
    assert reliability == {'image': ReliabilityPolicy.BEST_EFFORT, 'camera_info': ReliabilityPolicy.RELIABLE}
    assert 'qos_overrides./lossy/imgae.publisher.depth is not used: expected' in under_test.process.log


def test_frames_follow_the_wall_clock(client: Any, camera: Callable[..., CameraUnderTest], street: SyntheticStreet) -> None:
    under_test = camera('wall', use_sim_time=False, **STREET)
    client.wait_for(lambda: len(under_test.images) >= 10, 'ten frames', under_test.process)
    publisher, = client.node.get_publishers_info_by_topic('/wall/image')
    assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE
    under_test.stop()
    images = under_test.images
    # The camera does not wait for subscribers, so the first frames may be missed; after that none is missing.
    first = next(index for index in range(1000) if np.array_equal(street.frame(index).rgb, pixels(images[0])))
    for offset, image in enumerate(images):
        assert np.array_equal(pixels(image), street.frame(first + offset).rgb), offset
    stamps = [stamp_ns(image) for image in images]
    assert all(before < after for before, after in zip(stamps, stamps[1:]))
    assert {image.header.frame_id for image in images} == {'camera_optical_frame'}
    truths = {stamp_ns(truth): truth for truth in under_test.truths}
    assert truths and set(truths) & set(stamps)
    for offset, stamp in enumerate(stamps):
        if stamp in truths:
            assert np.array_equal(pixels(truths[stamp]), street.frame(first + offset).labels)


def test_compressed_images_are_close_to_the_originals(
        client: Any, camera: Callable[..., CameraUnderTest], street: SyntheticStreet) -> None:
    fine = camera('fine', message_type=CompressedImage, count=3, jpeg_quality=100, **STREET)
    coarse = camera('coarse', message_type=CompressedImage, count=3, jpeg_quality=10, **STREET)
    for under_test in (fine, coarse):
        under_test.play(3)
        under_test.ends()
        client.wait_for(lambda: len(under_test.truths) == 3, 'the ground truth')
        assert under_test.truths[0].encoding == 'mono8' and under_test.truths[0].header == under_test.images[0].header

    def error(under_test: CameraUnderTest, index: int) -> float:
        image = under_test.images[index]
        assert image.format == 'jpeg'
        rgb = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        return float(np.abs(rgb.astype(int) - street.frame(index).rgb).mean())
    for index in range(3):
        assert error(fine, index) < 3 and error(fine, index) < error(coarse, index) < 20
        assert len(coarse.images[index].data) < len(fine.images[index].data) / 3


COLORS = [(250, 10, 20), (30, 240, 50), (60, 70, 230), (200, 210, 40), (120, 20, 180)]


@pytest.fixture(name='folder', scope='module')
def folder_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images 1, 2, 3, 10 and 20, whose alphabetical order differs, and a file that is not an image."""
    folder = tmp_path_factory.mktemp('images')
    for number, rgb in zip((1, 2, 3, 10, 20), photographs()):
        cv2.imwrite(str(folder / f'image_{number}.png'), rgb[..., ::-1])
    (folder / 'notes.txt').write_text('not an image')
    return folder


def photographs() -> list[np.ndarray]:
    noise = np.random.default_rng(0).integers(0, 30, (5, 48, 64, 3), np.uint8)
    return [np.clip(noise[index] + np.array(color), 0, 255).astype(np.uint8) for index, color in enumerate(COLORS)]


@pytest.fixture(name='video', scope='module')
def video_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('video') / 'video.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10.0, (64, 48))
    assert writer.isOpened()
    for rgb in photographs():
        writer.write(np.ascontiguousarray(rgb[..., ::-1]))
    writer.release()
    return path


def decoded(video: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(video)), []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame[..., ::-1])
    return frames


@pytest.mark.parametrize(('kind', 'loop'), [('folder', False), ('folder', True), ('video', False), ('video', True)])
def test_files_are_published_exactly_once_or_in_a_loop(
        client: Any, camera: Callable[..., CameraUnderTest], folder: Path, video: Path, kind: str, loop: bool) -> None:
    frames = photographs() if kind == 'folder' else decoded(video)
    assert len(frames) == 5
    under_test = camera(f'{kind}_{loop}'.lower(), source=folder if kind == 'folder' else video, loop=str(loop).lower(),
                        rate_hz=RATE_HZ)
    if loop:
        under_test.play(12)
        assert client.node.count_publishers(f'/{under_test.name}/ground_truth') == 0
        under_test.stop()
    else:
        under_test.play(5)
        under_test.ends()
    for index, image in enumerate(under_test.images):
        assert np.array_equal(pixels(image), frames[index % 5]), index
    if kind == 'video':     # frames equal those written, except for compression loss
        assert all(np.abs(frame.mean((0, 1)) - rgb.mean((0, 1))).max() < 4 for frame, rgb in zip(frames, photographs()))


def test_files_are_resized_and_count_ends_a_loop(
        camera: Callable[..., CameraUnderTest], folder: Path) -> None:
    under_test = camera('resized', source=folder, width=32, height=20, rate_hz=RATE_HZ, count=7, loop='true')
    under_test.play(7)
    under_test.ends()
    for index, image in enumerate(under_test.images):
        assert (image.width, image.height) == (32, 20)
        assert np.abs(pixels(image).mean((0, 1)) - photographs()[index % 5].mean((0, 1))).max() < 2


def test_an_unreadable_image_file_is_skipped_and_named(camera: Callable[..., CameraUnderTest], tmp_path: Path) -> None:
    first, _, last = photographs()[:3]
    cv2.imwrite(str(tmp_path / '1.png'), first[..., ::-1])
    (tmp_path / '2.png').write_bytes(b'\x89PNG and no more')
    cv2.imwrite(str(tmp_path / '3.png'), cv2.resize(last, (128, 96), interpolation=cv2.INTER_NEAREST)[..., ::-1])
    under_test = camera('gap', source=tmp_path, rate_hz=RATE_HZ, count=2)
    under_test.play(2)
    assert under_test.process.wait() == 0 and '2.png is not a readable image' in under_test.process.log
    assert np.array_equal(pixels(under_test.images[0]), first)
    assert pixels(under_test.images[1]).shape == first.shape        # resized to the first frame


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly_in_the_middle_of_work(
        client: Any, camera: Callable[..., CameraUnderTest], number: int) -> None:
    under_test = camera(f'signal_{number}', use_sim_time=False, **{**STREET, 'rate_hz': 200.0})
    client.wait_for(lambda: bool(under_test.images), 'a frame', under_test.process)
    assert under_test.process.stop(number) == 0, under_test.process.log
    assert len(under_test.process.log.strip().splitlines()) == 1, under_test.process.log


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    'missing path': ({'source': '{tmp}/missing'}, 'not found'),
    'empty folder': ({'source': '{tmp}/empty'}, 'no images in'),
    'not a video': ({'source': '{tmp}/text.avi'}, 'text.avi is not a readable video'),
    'no camera': ({'source': '/dev/video97'}, 'no camera answers at /dev/video97'),
    'rate of zero': ({'rate_hz': '0.0'}, 'rate_hz'),
    'negative rate': ({'rate_hz': '-1.0'}, 'rate_hz'),
    'rate that is no number': ({'rate_hz': 'fast'}, 'rate_hz'),
    'unknown transport': ({'transport': 'theora'}, 'expected one of raw, compressed'),
    'quality of zero': ({'jpeg_quality': '0'}, 'jpeg_quality'),
    'street too small': ({'width': '10'}, 'at least 64 x 64 px'),
    'negative count': ({'count': '-1'}, 'count'),
}


@pytest.fixture(name='refused', scope='module')
def refused_fixture(start_executable: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All started at once: each spends most of its time on imports."""
    tmp = tmp_path_factory.mktemp('refused')
    (tmp / 'empty').mkdir()
    (tmp / 'text.avi').write_text('not a video')
    return {name: start_executable('camera_node', '--ros-args', *(
        item for key, value in parameters.items() for item in ('-p', f'{key}:={value.format(tmp=tmp)}')))
        for name, (parameters, _) in REFUSED.items()}


@pytest.mark.parametrize('name', REFUSED)
def test_invalid_settings_end_the_start_with_one_line(refused: dict[str, Any], name: str) -> None:
    process = refused[name]
    assert process.wait() == 1
    lines = [line for line in process.log.splitlines() if line.startswith('camera_node: ')]
    assert len(lines) == 1 and REFUSED[name][1] in lines[0]
    assert 'Traceback' not in process.log
