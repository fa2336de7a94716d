# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of the demo: camera size, output directory, environment, child processes."""
from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fanet_ros.ros.demo.children import Child, Children
from fanet_ros.ros.demo.demo import camera_size
from fanet_ros.ros.demo.environment import DOMAIN_IDS, DemoError, free_domain_id, ros_environment
from fanet_ros.ros.demo.output import DemoOutput
from fanet_ros.sources import SourceError


def python_child(tmp_path: Path, code: str, may_end: bool = False) -> Child:
    command = [sys.executable, '-c', code]
    return Child('worker', command, {}, tmp_path / 'worker.log', may_end)


def wait_until_ended(child: Child) -> None:
    child._process.wait(30)


@pytest.mark.parametrize(('size', 'expected'), [((640, 480), (0, 0)), ((2560, 1440), (1280, 720))])
def test_large_frames_are_scaled_down(
        tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]) -> None:
    cv2.imwrite(str(tmp_path / 'frame.png'), np.zeros((size[1], size[0], 3), np.uint8))
    assert camera_size(str(tmp_path), 0, 0) == expected
    assert camera_size(str(tmp_path), 320, 240) == (320, 240)


def test_a_source_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match='no images'):
        camera_size(str(tmp_path), 0, 0)
    assert camera_size('street', 0, 0) == (480, 360)


def test_files_of_an_earlier_run_are_removed_and_foreign_files_stay(tmp_path: Path) -> None:
    output = DemoOutput(tmp_path / 'out')
    for folder in (output.bag, output.logs):
        folder.mkdir(parents=True)
    for path in (output.bag / 'bag.mcap', output.bag / 'metadata.yaml', output.video, output.log('camera')):
        path.write_text('old')
    foreign = output.directory / 'notes.txt'
    foreign.write_text('mine')
    output.prepare()
    assert sorted(path.name for path in output.directory.rglob('*')) == ['.lock', 'log', 'notes.txt']
    assert foreign.read_text() == 'mine'


def test_a_foreign_bag_is_not_removed(tmp_path: Path) -> None:
    output = DemoOutput(tmp_path)
    output.bag.mkdir()
    (output.bag / 'precious.mcap').write_text('mine')
    with pytest.raises(DemoError, match='--output'):
        output.prepare()
    assert (output.bag / 'precious.mcap').exists()


def test_a_second_demo_does_not_remove_what_the_first_one_records(tmp_path: Path) -> None:
    first = DemoOutput(tmp_path)
    first.prepare()
    first.bag.mkdir()
    (first.bag / 'bag.mcap').write_text('recording')
    with pytest.raises(DemoError, match=f'another demo is writing into {tmp_path}: choose another --output'):
        DemoOutput(tmp_path).prepare()
    assert (first.bag / 'bag.mcap').exists()


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('mine')
    with pytest.raises(DemoError, match='--output'):
        DemoOutput(tmp_path / 'file').prepare()


def test_the_users_own_domain_and_profile_are_kept() -> None:
    chosen = {'ROS_DOMAIN_ID': '7', 'FASTDDS_DEFAULT_PROFILES_FILE': '/mine.xml'}
    environment = ros_environment(chosen)
    assert environment['ROS_DOMAIN_ID'] == '7'
    assert environment['FASTDDS_DEFAULT_PROFILES_FILE'] == '/mine.xml'
    assert 'FASTRTPS_DEFAULT_PROFILES_FILE' not in environment


def test_a_domain_is_chosen_when_none_is_set() -> None:
    assert int(ros_environment({})['ROS_DOMAIN_ID']) in DOMAIN_IDS


@pytest.mark.parametrize('chosen', ['233', '-1', 'robot'])
def test_an_invalid_domain_is_refused(chosen: str) -> None:
    with pytest.raises(DemoError, match=f"ROS_DOMAIN_ID is '{chosen}': expected a number from 0 to 232"):
        ros_environment({'ROS_DOMAIN_ID': chosen})


def test_domains_in_use_are_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_domain_id(), None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
        participant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        participant.bind(('', 7400 + 250 * first))
        monkeypatch.setattr('fanet_ros.ros.demo.environment.DOMAIN_IDS', range(first, first + 1))
        with pytest.raises(DemoError, match='in use'):
            second = free_domain_id()
    assert second is None and free_domain_id() == first


def test_a_child_that_dies_is_reported_with_its_log(tmp_path: Path) -> None:
    code = 'import sys; [print(f"line {i}", file=sys.stderr) for i in range(40)]; sys.exit(3)'
    with Children() as children:
        child = children.add(python_child(tmp_path, code))
        wait_until_ended(child)
        with pytest.raises(DemoError, match='worker ended with exit code 3') as caught:
            children.check()
    assert '| line 39' in str(caught.value) and '| line 25' in str(caught.value)
    assert '| line 24' not in str(caught.value)


@pytest.mark.parametrize('may_end', [True, False])
def test_exiting_with_success_is_a_failure_unless_expected(tmp_path: Path, may_end: bool) -> None:
    child = python_child(tmp_path, 'pass', may_end)
    wait_until_ended(child)
    assert child.has_died is not may_end


def test_leaving_the_context_interrupts_children(tmp_path: Path) -> None:
    ready = tmp_path / 'ready'
    os.mkfifo(ready)
    code = ('import signal, sys\n'
            'signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n'
            f'open({str(ready)!r}, "w").close()\n'
            'sys.exit(0 if signal.sigwait([signal.SIGINT]) else 1)')
    with Children() as children:
        child = children.add(python_child(tmp_path, code))
        ready.read_text()    # returns when the child has opened and closed it
        assert child.exit_code is None
    assert child.exit_code == 0
