# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Invalid ROS arguments end the start of every installed node without a traceback."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize('executable', ['segmentation_node', 'camera_node', 'recorder_node'])
@pytest.mark.parametrize('arguments', [('--params-file', '/no/such.yaml'), ('--no-such-argument',)])
def test_wrong_ros_arguments_end_the_start_without_a_traceback(
        start_executable: Callable[..., Any], executable: str, arguments: tuple[str, ...]) -> None:
    process = start_executable(executable, '--ros-args', *arguments)
    assert process.wait() == 1
    assert arguments[-1] in process.log and 'Traceback' not in process.log


@pytest.mark.parametrize(('executable', 'parameter'), [
    ('camera_node', 'source'), ('player_node', 'bag'), ('recorder_node', 'output')])
def test_a_path_that_the_system_refuses_is_an_error_in_one_line(
        start_executable: Callable[..., Any], executable: str, parameter: str) -> None:
    """Such as one in a folder without access, which a test run as root cannot make."""
    process = start_executable(executable, '--ros-args', '-p', f'{parameter}:={"x" * 300}')
    assert process.wait() == 1
    assert 'File name too long' in process.log.splitlines()[-1] and 'Traceback' not in process.log


@pytest.mark.parametrize('executable', ['segmentation_node', 'recorder_node'])
@pytest.mark.parametrize('argument', ['--checkpoint', 'drive.mp4'])
def test_arguments_of_no_meaning_are_refused(start_executable: Callable[..., Any], executable: str, argument: str) -> None:
    process = start_executable(executable, argument)
    assert process.wait() == 1
    line, = process.log.strip().splitlines()
    assert line.startswith(f'{executable}: unknown argument {argument}: ') and '--ros-args -r OLD:=NEW' in line
