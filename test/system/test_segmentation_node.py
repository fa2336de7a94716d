# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed segmentation node over DDS: its outputs for a frame, and parameter changes while it runs."""
from __future__ import annotations

import array
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from fanet_ros.msg import FrameTiming
from image_helpers import blotches, pixels
from rclpy.qos import ReliabilityPolicy
from reports import reported
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fanet_ros.inference import Segmentation, Segmenter, draw_overlay
from fanet_ros.ros.common.image_conversion import rgb_to_image_message
from fanet_ros.ros.segmentation.camera_input import HAS_MESSAGE_INFO

NODE = '/segmentation'


@pytest.fixture(name='camera', scope='module')
def camera_fixture(segmentation_camera: Callable[..., Any]) -> Any:
    return segmentation_camera('diagnostics_period_s:=0.1')


@pytest.fixture(name='process')
def process_fixture(camera: Any) -> Any:
    return camera.process


@pytest.fixture(name='default_parameters')
def default_parameters_fixture(client: Any, camera: Any) -> Iterator[None]:
    """Restores the parameters after tests that change them."""
    yield
    client.apply(NODE, atomically=True, input_height=0, input_width=0, overlay_alpha=0.5)


@pytest.mark.parametrize(('size', 'network_size'), [
    ((120, 160), (96, 128)), ((97, 131), (96, 128)), ((1, 1), (96, 96)), ((64, 640), (64, 192))])
def test_mask_equals_the_segmenters_at_the_frames_own_size(
        camera: Any, segmenter: Segmenter, size: tuple[int, int], network_size: tuple[int, int]) -> None:
    rgb = blotches(2, *size)
    mask, timing = camera.answer_at(rgb, network_size)
    expected = segmenter.segment(rgb)
    assert np.array_equal(pixels(mask), expected.labels)
    assert mask.header.frame_id == 'front/optical frame' and mask.header == timing.header
    assert (timing.input_height, timing.input_width) == network_size


def test_frames_of_these_tests_show_many_classes(segmenter: Segmenter) -> None:
    assert len(np.unique(segmenter.segment(blotches(2)).labels)) >= 5


def test_stages_add_up_to_the_total(camera: Any) -> None:
    _, timing = camera.answer_to(blotches(3))
    stages_ms = [getattr(timing, f'{stage}_ms') for stage in (
        'wait', 'convert', 'preprocess', 'network', 'postprocess', 'publish', 'overlay')]
    assert min(stages_ms) >= 0 and timing.network_ms > 0
    assert sum(stages_ms) <= timing.total_ms * 1.001
    assert timing.frame_age_ms > 1e9        # the stamps of these frames are decades old


def test_overlay_and_confidence_exist_only_while_somebody_subscribes(
        client: Any, camera: Any, process: Any, segmenter: Segmenter) -> None:
    assert camera.answer_to(blotches(4))[1].overlay_ms == 0.0
    overlays: list[Image] = []
    confidences: list[Image] = []
    subscriptions = [client.node.create_subscription(Image, f'{NODE}/{name}', messages.append, 5)
                     for name, messages in (('overlay', overlays), ('confidence', confidences))]
    client.wait_for(lambda: camera.send(blotches(4)) is not None and bool(overlays and confidences),
                    'overlay and confidence', process)
    rgb = blotches(5)
    header = camera.send(rgb)
    expected = segmenter.segment(rgb, confidence=True)
    overlay = camera.wait_for_one(overlays, header)
    assert overlay.encoding == 'rgb8'
    assert np.array_equal(pixels(overlay), overlay_of(rgb, expected, 0.5))
    assert np.array_equal(pixels(camera.wait_for_one(confidences, header)), expected.confidence)
    assert camera.wait_for_one(camera.timings, header).overlay_ms > 0
    for subscription in subscriptions:
        client.node.destroy_subscription(subscription)
    client.wait_for(lambda: camera.answer_to(blotches(4))[1].overlay_ms == 0.0, 'the overlay to end', process)


def overlay_of(rgb: np.ndarray, segmentation: Segmentation, alpha: float) -> np.ndarray:
    from fanet_ros.inference import ClassMap
    from fanet_ros.package_share import class_map_file
    palette = ClassMap.load(class_map_file('camvid11')).palette()
    return draw_overlay(rgb, segmentation.labels, palette, alpha)


def test_resolution_changes_while_running(
        client: Any, camera: Any, segmenter: Segmenter, small_checkpoint: Path, process: Any,
        default_parameters: None) -> None:
    switches = process.log.count('now segmenting')
    client.apply(NODE, atomically=True, input_height=64, input_width=192)
    mask, timing = camera.answer_to(blotches(6))
    assert (timing.input_height, timing.input_width) == (64, 192)
    other = Segmenter.from_checkpoint(
        small_checkpoint, device='cpu', engine='torch', num_threads=1, input_height=64, input_width=192)
    assert np.array_equal(pixels(mask), other.segment(blotches(6)).labels)
    assert not np.array_equal(pixels(mask), segmenter.segment(blotches(6)).labels)
    assert process.log.count('now segmenting') == switches + 1      # both parameters are one change


@pytest.mark.parametrize(('values', 'reason'), [
    ({'input_height': 63}, 'input_height is 63 px: expected 64..8192'),
    ({'input_width': -1}, 'input_width is -1 px: expected 64..8192'),
    ({'input_width': 2**40}, 'expected 64..8192'),
    ({'input_height': 8192, 'input_width': 8192}, 'GiB'),
    ({'input_height': 128, 'input_width': 63}, 'input_width is 63 px'),
    ({'input_height': 100.0}, 'Wrong parameter type'),
    ({'input_height': '100'}, 'Wrong parameter type'),
    ({'overlay_alpha': 1.5}, 'out of range'),
    ({'overlay_alpha': float('nan')}, 'out of range'),
    ({'checkpoint': 'other'}, "checkpoint 'other' not found"),
    ({'device': 'cpu'}, 'read-only'),
    ({'image_transport': 'compressed'}, 'read-only'),
    ({'variant': 'fanet50'}, 'is a fanet18, but variant is fanet50'),
    ({'variant': 'fanet99'}, 'expected one of auto, fanet18'),
    ({'engine': 'torch', 'precision': 'int8'}, 'engine torch runs in'),
    ({'class_map': '/nowhere.yaml'}, 'No such file'),
    ({'resolution_ladder': [0.5, 1.0]}, 'scales in descending order from 1.0'),
    ({'cameras': ['front']}, 'read-only'),
])
def test_a_refused_change_says_why_and_changes_nothing(
        client: Any, camera: Any, values: dict[str, Any], reason: str) -> None:
    names = ('input_height', 'input_width', 'overlay_alpha', 'image_transport', 'variant')
    before = client.get_parameters(NODE, *names)
    result, = client.set_parameters(NODE, atomically=True, **values)
    assert not result.successful and reason in result.reason
    assert client.get_parameters(NODE, *names) == before
    _, timing = camera.answer_to(blotches(7))
    assert (timing.input_height, timing.input_width) == (96, 128)


def test_overlay_alpha_changes_while_running(
        client: Any, camera: Any, process: Any, segmenter: Segmenter, default_parameters: None) -> None:
    overlays: list[Image] = []
    subscription = client.node.create_subscription(Image, f'{NODE}/overlay', overlays.append, 5)
    client.apply(NODE, overlay_alpha=0.25)
    client.wait_for(lambda: camera.send(blotches(8)) is not None and bool(overlays), 'the overlay', process)
    rgb = blotches(9)
    overlay = camera.wait_for_one(overlays, camera.send(rgb))
    assert np.array_equal(np.frombuffer(overlay.data, np.uint8).reshape(rgb.shape),
                          overlay_of(rgb, segmenter.segment(rgb), 0.25))
    client.node.destroy_subscription(subscription)


def test_every_frame_is_segmented_or_counted_as_dropped(camera: Any) -> None:
    before = camera.answer_to(blotches(10))[1]
    headers = [camera.send(blotches(seed)) for seed in range(30)]
    after = camera.wait_for_one(camera.timings, headers[-1])        # the newest frame is never dropped
    segmented = [timing for timing in camera.timings if timing.header in headers]
    received = after.frames_received - before.frames_received
    assert received == 30 if HAS_MESSAGE_INFO else 1 <= received <= 30       # Humble does not report what the middleware replaced
    assert after.frames_segmented - before.frames_segmented == len(segmented)
    assert after.frames_dropped - before.frames_dropped == received - len(segmented) >= HAS_MESSAGE_INFO
    assert after.frames_rejected == before.frames_rejected
    stamps = [timing.header.stamp.sec for timing in segmented]
    assert stamps == sorted(stamps)


def test_endpoints_have_the_documented_quality_of_service(client: Any, camera: Any) -> None:
    subscription, = client.node.get_subscriptions_info_by_topic('/image')
    assert subscription.qos_profile.reliability == ReliabilityPolicy.RELIABLE       # like the camera of this test
    for name in ('mask', 'confidence', 'overlay', 'timing'):
        publisher, = client.node.get_publishers_info_by_topic(f'{NODE}/{name}')
        assert publisher.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_diagnostics_report_model_latency_and_counts(client: Any, camera: Any, process: Any) -> None:
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    _, timing = camera.answer_to(blotches(11))

    def reported() -> bool:
        return bool(arrays) and int(values_of(arrays[-1])['frames segmented']) >= timing.frames_segmented
    client.wait_for(reported, 'diagnostics of that frame', process)
    status, = arrays[-1].status
    values = values_of(arrays[-1])
    assert (status.name, status.hardware_id) == ('segmentation: image segmentation', 'cpu')
    assert (values['model'], values['variant']) == ('small', 'fanet18')
    assert values['resolution [px]'].split(', ')[-1] == '128x96'        # the latest frame's; other tests sent other shapes
    p50, p95, p99 = (float(text) for text in values['network p50/p95/p99 [ms]'].split('/'))
    assert 0 < p50 <= p95 <= p99
    assert int(values['frames received']) >= timing.frames_received and float(values['rate [Hz]']) > 0


def values_of(diagnostics: DiagnosticArray) -> dict[str, str]:
    return {entry.key: entry.value for entry in diagnostics.status[0].values}


def test_compressed_images_simulated_time_and_remapping(
        client: Any, start_segmentation: Callable[..., Any], segmenter: Segmenter) -> None:
    process = start_segmentation('image_transport:=compressed', 'use_sim_time:=true', 'diagnostics_period_s:=0.1',
                                 rules=['__ns:=/front', '/clock:=/front/clock'])
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    masks, timings = (client.collect(kind, f'/front/segmentation/{name}')
                      for kind, name in ((Image, 'mask'), (FrameTiming, 'timing')))
    images = client.publisher(CompressedImage, '/front/image/compressed')

    def message() -> str:
        return reported(arrays, 'front/segmentation: image segmentation').get('message', '')
    client.wait_for(lambda: 'simulated time has not started' in message(), 'diagnostics', process)

    clock = client.publisher(Clock, '/front/clock')
    now = Clock(clock=Time(sec=100, nanosec=500_000_000))       # best effort: the first one may be lost
    client.wait_for(lambda: clock.publish(now) is None and 'simulated time' not in message(), 'simulated time to begin',
                    process)
    rgb = blotches(12)
    png = cv2.imencode('.png', rgb[..., ::-1])[1]
    picture = CompressedImage(format='png', data=array.array('B', png.tobytes()),
                              header=Header(frame_id='front', stamp=Time(sec=100, nanosec=250_000_000)))
    client.wait_for(lambda: images.publish(picture) is None and bool(masks and timings), 'a mask', process)
    assert np.array_equal(pixels(masks[-1]), segmenter.segment(rgb).labels)
    assert masks[-1].header == picture.header == timings[-1].header
    assert timings[-1].frame_age_ms == 250.0
    assert process.stop() == 0


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(
        client: Any, start_segmentation: Callable[..., Any], number: int) -> None:
    process = start_segmentation(rules=['__node:=ending', 'image:=other'])
    client.collect(Image, '/ending/mask')      # otherwise it would not subscribe
    images = client.publisher(Image, '/other')
    client.wait_for(lambda: 'segmenting' in process.log, 'its start', process)
    for seed in range(5):       # interrupt it while frames are pending
        images.publish(rgb_to_image_message(blotches(seed), Header()))
    assert process.stop(number) == 0, process.log
    assert 'Traceback' not in process.log and all(line.startswith('[INFO]') for line in process.log.strip().splitlines())


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_while_a_model_is_built(
        client: Any, start_segmentation: Callable[..., Any], tmp_path: Path, number: int) -> None:
    """Building an engine may take minutes and cannot be aborted; simulated by a class map that never finishes reading."""
    class_map = tmp_path / 'class_map.yaml'
    os.mkfifo(class_map)
    process = start_segmentation(f'class_map:={class_map}')

    writers: list[int] = []     # kept open: closing would signal end of file

    def is_being_read() -> bool:
        with suppress(OSError):     # no reader yet
            writers.append(os.open(class_map, os.O_WRONLY | os.O_NONBLOCK))
        return bool(writers)
    client.wait_for(is_being_read, 'the class map to be opened', process)
    assert process.stop(number) == 0, process.log
    assert all('building' in line for line in process.log.splitlines())     # no error, no traceback
    os.close(writers[0])


def test_silence_is_explained(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation('no_image_warning_s:=0.2', 'diagnostics_period_s:=0.1', rules=['__node:=waiting', 'image:=quiet'])
    arrays = client.collect(DiagnosticArray, '/diagnostics')

    def message() -> str:
        return reported(arrays, 'waiting').get('message', '')
    client.wait_for(lambda: message().endswith('nobody publishes /quiet'), 'the reason', process)
    client.node.create_publisher(CompressedImage, '/quiet/compressed', 5)
    client.wait_for(lambda: message().endswith('/quiet/compressed is published: set image_transport to compressed'),
                    'the transport that is there', process)
    client.node.create_publisher(CompressedImage, '/quiet', 5)
    client.wait_for(lambda: 'carries sensor_msgs/msg/CompressedImage' in message(), 'the other reason', process)
    assert process.stop() == 0
    assert process.log.count('no image') == 1       # once, not at every report


def test_silence_after_simulated_time_has_started_is_logged(
        client: Any, start_segmentation: Callable[..., Any]) -> None:
    process = start_segmentation(
        'use_sim_time:=true', 'no_image_warning_s:=0.2', 'diagnostics_period_s:=0.1', 'lazy:=false',     # else it may be idle
        rules=['__node:=simulated', 'image:=simulated/image', '/clock:=/late/clock'])           # before the clock is heard
    client.wait_for(lambda: 'simulated time has not started' in process.log, 'the first warning', process)
    clock = client.publisher(Clock, '/late/clock')
    seconds = itertools.count(100)
    client.wait_for(lambda: clock.publish(Clock(clock=Time(sec=next(seconds)))) is None and 'no image for' in process.log,
                    'the second warning', process)
    assert process.stop() == 0
    assert [process.log.count(text) for text in ('simulated time has not started', 'no image for')] == [1, 1]


@pytest.mark.parametrize(('parameters', 'reason'), [
    ({'checkpoint': 'no_such_network'}, "checkpoint 'no_such_network' not found"),
    ({'checkpoint': '{tmp}/corrupt.safetensors'}, 'not a readable safetensors file'),
    ({'checkpoint': '{tmp}/empty.safetensors'}, 'not a readable safetensors file'),
    ({'checkpoint': '{tmp}'}, 'not found'),
    ({'class_map': '{tmp}/two.yaml'}, 'has 11 classes, class map two has 2'),
    ({'class_map': '{tmp}/none.yaml'}, 'none.yaml'),
    ({'variant': 'fanet50'}, 'is a fanet18, but variant is fanet50'),
    ({'input_height': '63'}, 'input_height is 63 px: expected 64..8192'),
    ({'input_width': '9000'}, 'input_width is 9000 px: expected 64..8192'),
    ({'input_height': '8192', 'input_width': '8192'}, 'GiB'),
    ({'input_height': 'high'}, 'input_height'),
    ({'device': 'cuda:99'}, "device 'cuda:99' is not available"),
    ({'device': 'tpu'}, "device 'tpu' is unknown"),
    ({'image_transport': 'theora'}, 'expected one of raw, compressed'),
    ({'overlay_alpha': '2.0'}, 'out of range'),
])
def test_an_invalid_setting_ends_the_start_with_one_line(
        start_executable: Callable[..., Any], small_checkpoint: Path, tmp_path: Path, parameters: dict[str, str],
        reason: str) -> None:
    (tmp_path / 'corrupt.safetensors').write_bytes(small_checkpoint.read_bytes()[:100_000])
    (tmp_path / 'empty.safetensors').touch()
    (tmp_path / 'two.yaml').write_text(
        'name: two\nclasses:\n- {name: a, color: [1, 2, 3]}\n- {name: b, color: [4, 5, 6]}\n')
    values = {'checkpoint': str(small_checkpoint), 'device': 'cpu', **parameters}
    arguments = [item for name, value in values.items()
                 for item in ('-p', f'{name}:={value.format(tmp=tmp_path)}')]
    process = start_executable('segmentation_node', '--ros-args', *arguments)
    assert process.wait() == 1
    line, = [line for line in process.log.strip().splitlines() if not line.startswith('[INFO]')]
    assert line.startswith('segmentation_node: ') and reason in line
