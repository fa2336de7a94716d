# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed doctor with a real camera over DDS."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from executables import find_executable
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CompressedImage, Image

from fanet_ros.host.shared_memory import BLOCK_BYTES, LOCK, dead_segments

TIMEOUT_S = 200.0
MIN_SEGMENT_BYTES = 2**19       # in use by a node that has just started


@pytest.fixture(name='doctor')
def doctor_fixture(ros_domain_id: int, small_checkpoint: Path) -> Callable[..., tuple[int, list[dict[str, str]]]]:
    """Runs doctor in the domain of the test; returns exit code and findings."""
    def run(*arguments: str, ros: tuple[str, ...] = (), checkpoint: Optional[Path] = None,
            ) -> tuple[int, list[dict[str, str]]]:
        done = subprocess.run(
            [str(find_executable('doctor')), '--json', '-', *arguments, '--ros-args', '-p',
             f'checkpoint:={checkpoint or small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', *ros],
            env={**os.environ, 'ROS_DOMAIN_ID': str(ros_domain_id)}, capture_output=True, text=True, timeout=TIMEOUT_S,
            check=False)
        assert done.stdout, done.stderr
        content = json.loads(done.stdout)
        assert content['exit_code'] == done.returncode
        return done.returncode, content['findings']
    return run


@pytest.fixture(name='start_camera')
def start_camera_fixture(start_executable: Callable[..., Any]) -> Iterator[Callable[..., None]]:
    """Starts a camera on a topic for the duration of one test."""
    started: list[Any] = []

    def start(topic: str, transport: str = 'raw') -> None:
        started.append(start_executable(
            'camera_node', '--ros-args', '-r', f'image:={topic}', '-p', 'width:=160', '-p', 'height:=120', '-p', 'rate_hz:=10.0',
            '-p', f'transport:={transport}'))
    yield start
    for camera in started:
        assert camera.stop() == 0, camera.log


def camera_of(findings: list[dict[str, str]]) -> list[dict[str, str]]:
    return [finding for finding in findings if finding['check'] == 'camera']


def test_a_robot_that_is_ready(start_camera: Callable[[str], None], doctor: Callable[..., Any]) -> None:
    start_camera('eye/image_raw')
    code, findings = doctor('--wait-s', '30', ros=('-r', 'image:=eye/image_raw', '-p', 'resolution_ladder:=[1.0, 0.5]'))
    assert code == 0, [finding for finding in findings if finding['level'] == 'ERROR']
    assert '/eye/image_raw: 160x120, rgb8, step 480' in camera_of(findings)[0]['what']
    assert any('stamps are' in finding['what'] for finding in camera_of(findings))
    speeds = [finding['what'] for finding in findings if finding['check'] == 'speed']
    assert len(speeds) == 2 and 'as set' in speeds[0] and 'torch float32' in speeds[1]


@pytest.mark.parametrize(('entity', 'check'), [('/image.subscription', 'camera'), ('/segmentation/mask.publisher', 'outputs')])
def test_an_invalid_qos_override_is_an_error(doctor: Callable[..., Any], entity: str, check: str) -> None:
    code, findings = doctor('--no-speed', '--no-camera', ros=('-p', f'qos_overrides.{entity}.depth:=deep'))
    finding, = [finding for finding in findings if finding['level'] == 'ERROR']
    assert code == 1 and finding['check'] == check and f'qos_overrides.{entity}' in finding['what']


def test_a_camera_on_another_topic_is_found_and_a_remapping_suggested(
        start_camera: Callable[[str], None], doctor: Callable[..., Any], tmp_path: Path) -> None:
    start_camera('eye/image_raw')
    code, findings = doctor('--wait-s', '5', '--no-speed')
    camera, = camera_of(findings)
    assert code == 1 and camera['level'] == 'ERROR'
    assert 'nobody publishes /image' in camera['what'] and '-r image:=/eye/image_raw' in camera['remedy']


@pytest.mark.parametrize(('transport', 'remedy'), [
    ('compressed', 'remap: --ros-args -r image:=/eye/image_raw'),
    ('raw', 'remap: --ros-args -r image:=/eye/image_raw -p image_transport:=compressed')])
def test_the_suggested_remapping_finds_a_compressed_camera(
        start_camera: Callable[..., None], doctor: Callable[..., Any], transport: str, remedy: str) -> None:
    start_camera('eye/image_raw', 'compressed')
    code, findings = doctor('--wait-s', '5', '--no-speed', ros=('-p', f'image_transport:={transport}'))
    camera, = camera_of(findings)
    assert code == 1 and camera['remedy'].endswith(f'; {remedy}')
    given = remedy.removeprefix('remap: --ros-args ').split()
    code, findings = doctor('--wait-s', '30', '--no-speed', ros=('-p', f'image_transport:={transport}', *given))
    assert code == 0 and '/eye/image_raw/compressed: 160x120' in camera_of(findings)[0]['what']


def test_it_ends_in_order_when_terminated_while_it_waits_for_images(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path) -> None:
    process = start_executable('doctor', '--no-speed', '--wait-s', '3000', '--ros-args', '-p', f'checkpoint:={small_checkpoint}')
    client.wait_for(lambda: client.node.count_subscribers('/image') > 0, 'it to subscribe', process)
    assert process.stop(signal.SIGTERM) == 130 and 'Traceback' not in process.log


def test_a_depth_image_is_not_suggested_as_the_camera(client: Any, doctor: Callable[..., Any]) -> None:
    publisher = client.node.create_publisher(Image, '/eye/depth/image_raw', 5)
    code, findings = doctor('--wait-s', '5', '--no-speed')
    client.node.destroy_publisher(publisher)
    camera, = camera_of(findings)
    assert code == 1 and camera['remedy'].startswith('no image topic found')


def test_the_other_transport_is_the_remedy_and_named_once(client: Any, doctor: Callable[..., Any]) -> None:
    publisher = client.node.create_publisher(CompressedImage, '/image/compressed', 5)
    code, findings = doctor('--wait-s', '5', '--no-speed')
    client.node.destroy_publisher(publisher)
    camera, = camera_of(findings)
    assert code == 1 and camera['what'] == 'no image within 5 s: nobody publishes /image'
    assert camera['remedy'] == '/image/compressed is published: set image_transport to compressed'


def test_a_publisher_with_incompatible_qos_is_named(client: Any, doctor: Callable[..., Any]) -> None:
    client.node.create_publisher(Image, '/image', QoSProfile(
        depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE))
    code, findings = doctor('--wait-s', '5', '--no-speed', ros=(
        '-p', 'qos_overrides./image.subscription.reliability:=reliable'))
    camera, = camera_of(findings)
    assert code == 1 and '/client' in camera['what'] and 'compatible QoS' in camera['remedy']


def test_a_missing_checkpoint_and_an_invalid_parameter_are_errors(doctor: Callable[..., Any], tmp_path: Path) -> None:
    code, findings = doctor('--no-camera', checkpoint=tmp_path / 'lost.safetensors')
    wrong, = [finding for finding in findings if finding['level'] == 'ERROR']
    assert code == 1 and wrong['check'] == 'checkpoint' and 'lost.safetensors' in wrong['what'] and wrong['remedy']
    code, findings = doctor('--no-camera', ros=('-p', 'overlay_alpha:=7.0'))
    assert code == 1 and findings[-1]['check'] == 'parameters' and 'overlay_alpha' in findings[-1]['what']


def test_speed_is_measured_even_if_one_camera_is_silent(
        start_camera: Callable[[str], None], doctor: Callable[..., Any], tmp_path: Path) -> None:
    start_camera('front/image')
    path = tmp_path / 'mine.yaml'
    path.write_text('/**:\n  ros__parameters: {cameras: [front, left], resolution_ladder: [1], input_heigth: 96}\n'
                    'segmentation_node:\n  ros__parameters: {device: cpu}\n')
    code, findings = doctor('--wait-s', '10', ros=('--params-file', str(path)))
    said = {level: [finding['what'] for finding in findings if finding['level'] == level] for level in ('ERROR', 'WARN')}
    silent, = said['ERROR']
    assert code == 1 and 'nobody publishes /left/image' in silent
    assert 'input_heigth is not a parameter of this node: did you mean input_height?' in said['WARN']
    assert f'the parameters of segmentation_node in {path} are not used: this node is /segmentation' in said['WARN']
    assert any('the rate of left is unknown' in what for what in said['WARN'])
    assert any('as set' in finding['what'] for finding in findings if finding['check'] == 'speed')


@pytest.mark.skipif(get_rmw_implementation_identifier() != 'rmw_fastrtps_cpp', reason='only Fast DDS has these files')
def test_shared_memory_of_a_killed_node_is_found_and_that_of_a_running_one_is_not(
        ros_domain_id: int, doctor: Callable[..., Any]) -> None:
    environment = {**os.environ, 'ROS_DOMAIN_ID': str(ros_domain_id)}
    with subprocess.Popen([str(find_executable('camera_node'))], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=environment) as camera:
        try:
            assert camera.stderr is not None
            assert any('publishing' in line for line in camera.stderr)      # then the segment has its final size
            lock, segment = held_segment(camera)
            assert segment not in [found.path for found in dead_segments(min_age_s=0.0)]
        finally:
            camera.send_signal(signal.SIGKILL)
    try:
        found, = [found for found in dead_segments(min_age_s=0.0) if found.path == segment]
        assert found.size_bytes > MIN_SEGMENT_BYTES
        os.utime(lock, times=(0, 0))        # instead of waiting until it is old enough
        _, findings = doctor('--no-camera', '--no-speed')
        assert any('killed process' in finding['what'] and 'fastdds shm clean' in finding['remedy'] for finding in findings)
    finally:
        segment.unlink()
        lock.unlink()


def held_segment(process: subprocess.Popen) -> tuple[Path, Path]:
    """The lock file of a node's segment and the segment, once it holds both and the segment takes memory."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        for descriptor in Path(f'/proc/{process.pid}/fd').iterdir():
            try:
                path = descriptor.readlink()
            except OSError:         # closed meanwhile
                continue
            segment = path.with_name(path.name.removesuffix('_el'))
            if LOCK.fullmatch(path.name) and segment.is_file() and segment.stat().st_blocks * BLOCK_BYTES > MIN_SEGMENT_BYTES:
                return path, segment
        time.sleep(0.1)
    raise AssertionError(f'no segment within {TIMEOUT_S:.0f} s')
