# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo as a user runs it: installed executables, real DDS, and its output files."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from domains import own_domain
from executables import find_executable

from fanet_ros.bags.frame_reader import FrameReader
from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.package_share import class_map_file
from fanet_ros.ros.demo.observer import Observer
from fanet_ros.ros.demo.output import DemoOutput

TIMEOUT_S = 150.0
WIDTH, HEIGHT = 160, 120


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small untrained network with the classes of the street that runs at 96x128."""
    class_map = ClassMap.load(class_map_file('camvid11'))
    metadata = CheckpointMetadata(
        'fanet18', 'paper', class_map.name, class_map.names, class_map.colors, training_resolution=(96, 128))
    path = tmp_path_factory.mktemp('weights') / 'untrained.safetensors'
    save_checkpoint(path, metadata.build_network(), metadata)
    return path


@pytest.fixture(name='domain_id')
def domain_id_fixture() -> Iterator[int]:
    with own_domain() as domain_id:
        yield domain_id


@pytest.fixture(name='start_demo')
def start_demo_fixture(tmp_path: Path, checkpoint: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts the demo, which chooses a free domain unless one is given; its output goes to tmp_path/demo_output."""
    started: list[subprocess.Popen] = []

    def start(*arguments: str, domain_id: str = '') -> subprocess.Popen:
        environment = {**os.environ, 'ROS_DOMAIN_ID': domain_id}
        command = [str(find_executable('demo')), '--checkpoint', str(checkpoint), '--device', 'cpu', '--engine', 'torch',
                   *([] if '--source' in arguments else ['--size', f'{WIDTH}x{HEIGHT}']), *arguments]
        started.append(subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1]
    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_for_masks(process: subprocess.Popen, domain_id: int, count: int) -> None:
    """Wait until `count` frames have been segmented."""
    deadline = time.monotonic() + TIMEOUT_S
    with Observer(domain_id, '/segmentation/timing') as observer:
        while observer.masks < count:
            assert process.poll() is None and time.monotonic() < deadline, 'the demo made no masks'
            observer.watch(0.05)


@pytest.mark.slow
def test_demo_leaves_a_valid_bag_images_and_figures(
        start_demo: Callable[..., subprocess.Popen], tmp_path: Path, checkpoint: Path) -> None:
    process = start_demo('--seconds', '5', '--rate', '6', '--seed', '3')
    stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, stderr
    output = DemoOutput(tmp_path / 'demo_output')

    summary = json.loads(output.summary.read_text())
    assert summary['checks']['passed'] and summary['masks'] == summary['checks']['masks'] > 5
    assert summary['image_size'] == [HEIGHT, WIDTH] and summary['network_size'] == [96, 128]
    assert summary['agreement']['frames'] == summary['masks'] - summary['checks']['before_recording']
    assert 'latency [ms]' in stdout and 'agreement with the ground truth' in stdout
    for path in (output.page, output.contact_sheet, output.video, output.bag, output.summary):
        assert path.exists() and path.name in stdout
    assert cv2.imread(str(output.contact_sheet)).shape[1] > 4 * 300
    assert _video_frames(output.video) == summary['agreement']['frames']
    assert stdout.rstrip().endswith('make live, or ros2 run fanet_ros live')
    page = output.page.read_text()
    assert page.count('<polygon') == 7 and f'{summary["masks"]} of {summary["camera_frames"]}' in page
    assert 'src="http' not in page and 'data:video/' in page and 'data:image/jpeg' in page

    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    with FrameReader(output.bag) as recording:
        frames = list(recording.frames())
        assert len(recording.timings) == summary['masks']
    for frame in frames[::5]:
        assert frame.rgb.shape == (HEIGHT, WIDTH, 3) and frame.truth is not None and frame.overlay is not None
        labels = segmenter.segment(frame.rgb).labels
        assert np.mean(frame.labels == labels) > 0.999    # other thread counts may round differently


@pytest.mark.slow
def test_user_images_need_no_ground_truth(start_demo: Callable[..., subprocess.Popen], tmp_path: Path) -> None:
    (tmp_path / 'drive').mkdir()
    for number in range(3):
        frame = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        cv2.imwrite(str(tmp_path / 'drive' / f'{number}.png'), frame)
    process = start_demo('--source', str(tmp_path / 'drive'), '--seconds', '3', '--rate', '5')
    stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, stderr
    output = DemoOutput(tmp_path / 'demo_output')
    summary = json.loads(output.summary.read_text())
    assert summary['checks']['passed'] and summary['agreement'] is None and summary['source'] == 'drive'
    assert output.page.exists() and output.contact_sheet.exists() and 'ground truth' not in stdout


@pytest.mark.slow
@pytest.mark.parametrize(('number', 'exit_code'), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_a_complete_bag(
        start_demo: Callable[..., subprocess.Popen], domain_id: int, tmp_path: Path, number: int, exit_code: int) -> None:
    process = start_demo('--seconds', '600', '--rate', '6', domain_id=str(domain_id))
    output = DemoOutput(tmp_path / 'demo_output')
    wait_for_masks(process, domain_id, 6)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == exit_code, stderr
    assert ('ended early' in stdout) == (number == signal.SIGINT)
    assert output.summary.exists() == (number == signal.SIGINT)
    with FrameReader(output.bag) as recording:
        assert len(list(recording.frames())) >= 1


def test_a_child_that_dies_ends_the_demo_with_its_last_log_lines(
        start_demo: Callable[..., subprocess.Popen], tmp_path: Path) -> None:
    process = start_demo('--device', 'cuda:99')
    _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert 'segmentation ended with exit code 1' in stderr and 'segmentation.log' in stderr
    assert any('cuda:99' in line for line in stderr.splitlines() if line.startswith('  | '))


@pytest.mark.parametrize(('arguments', 'reason'), [
    (('--checkpoint', 'none.safetensors'), 'none.safetensors'),
    (('--source', 'none.mp4'), 'none.mp4'),
])
def test_invalid_arguments_are_refused_in_one_line(
        start_demo: Callable[..., subprocess.Popen], tmp_path: Path, arguments: tuple[str, ...],
        reason: str) -> None:
    process = start_demo(*arguments)
    _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1
    assert reason in stderr and len(stderr.strip().splitlines()) == 1
    assert not (tmp_path / 'demo_output').exists()


def _video_frames(path: Path) -> int:
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        count += 1
    return count
