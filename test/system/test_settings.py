# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings as users write them, given to the installed nodes in every way, and invalid ones that must not end a node."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from rclpy.parameter import parameter_value_to_python
from sensor_msgs.msg import Image

from fanet_ros.inference.device import why_slow

try:
    from rclpy.parameter import get_parameter_value
except ImportError:     # Humble
    from ros2param.api import get_parameter_value

FILE = '''
/**:
  ros__parameters:
    cameras: []
    resolution_ladder: [1, 0.5]
    max_frame_age_ms: 60000
    input_heigth: 240
segmentation_node:
  ros__parameters: {input_height: 96}
'''


@pytest.fixture(name='node', scope='module')
def node_fixture(start_executable: Callable[..., Any], client: Any, small_checkpoint: Path, tmp_path_factory: Any) -> Any:
    path = tmp_path_factory.mktemp('parameters') / 'mine.yaml'
    path.write_text(FILE)
    process = start_executable(
        'segmentation_node', '--ros-args', '--params-file', str(path), '-p', f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu',
        '-p', 'engine:=torch', '-p', 'latency_budget_ms:=50', '-p', 'overlay_alpha:=1', '-p', 'slow_warning_share:=0')
    client.wait_for(lambda: 'segmenting' in process.log, 'its start', process)
    return process


def test_integers_and_empty_lists_are_accepted_at_start_up(client: Any, node: Any) -> None:
    names = ('resolution_ladder', 'max_frame_age_ms', 'latency_budget_ms', 'overlay_alpha', 'slow_warning_share')
    values = client.get_parameters('/segmentation', *names)
    assert [list(values[0]), *values[1:]] == [[1.0, 0.5], 60000.0, 50.0, 1.0, 0.0]
    assert all(isinstance(value, float) for value in (*values[0], *values[1:]))


def test_unused_parameters_are_reported_at_start_up(node: Any) -> None:
    assert 'input_heigth is not a parameter of this node: did you mean input_height?' in node.log
    assert 'the parameters of segmentation_node in ' in node.log and 'are not used: this node is /segmentation' in node.log


@pytest.mark.parametrize('atomically', [False, True])
@pytest.mark.parametrize(('name', 'text', 'value'), [
    ('latency_budget_ms', '70', 70.0), ('resolution_ladder', '[1, 0.25]', [1.0, 0.25]), ('resolution_ladder', '[1]', [1.0]),
    ('resolution_ladder', '[1.0, 0.5]', [1.0, 0.5]), ('resolution_ladder', '[]', [1.0]), ('input_height', '96', 96)])
def test_values_from_ros2_param_set_are_accepted(
        client: Any, node: Any, name: str, text: str, value: Any, atomically: bool) -> None:
    sent = parameter_value_to_python(get_parameter_value(string_value=text))         # as the command line parses it
    client.apply('/segmentation', atomically, **{name: sent})
    now, = client.get_parameters('/segmentation', name)
    assert (now if isinstance(value, (int, float)) else list(now)) == value


@pytest.mark.parametrize(('name', 'value', 'reason'), [
    ('latency_budget_ms', 'fast', 'Wrong parameter type'), ('latency_budget_ms', True, 'Wrong parameter type'),
    ('latency_budget_ms', 70000, 'range'), ('resolution_ladder', [1, 2], 'scales in descending order from 1.0'),
    ('resolution_ladder', '[1, x]', 'Wrong parameter type'), ('input_height', 96.5, 'Wrong parameter type'),
    ('device', 'cuda', 'read-only'), ('calibration_images', '/nowhere', "calibration_images is '/nowhere': no such folder"),
    ('calibration_images', '/dev', 'no readable image in it')])
def test_invalid_values_are_refused(client: Any, node: Any, name: str, value: Any, reason: str) -> None:
    result, = client.set_parameters('/segmentation', **{name: value})
    assert not result.successful and reason in result.reason, result.reason


def test_the_answer_to_a_slow_precision_says_so(client: Any, node: Any) -> None:
    for precision in ('float16', 'bfloat16', 'float32'):
        result, = client.set_parameters('/segmentation', precision=precision)
        assert result.successful and result.reason == why_slow(precision, torch.device('cpu'))
        result, = client.set_parameters('/segmentation', overlay_alpha=0.5)
        assert result.successful and result.reason == ''


@pytest.mark.parametrize(('executable', 'name', 'arguments'), [
    ('segmentation_node', 'segmentation', ('-p', 'autostart:=false')),
    ('camera_node', 'camera', ('-p', 'rate_hz:=5', '-p', 'width:=64', '-p', 'height:=64')),
    ('recorder_node', 'recorder', (       # with something to record: without messages it exits with 1
        '-p', 'output:={folder}/recorded', '-p', 'topics:=["/parameter_events:rcl_interfaces/msg/ParameterEvent"]')),
    ('player_node', 'player', ('-p', 'bag:={bag}', '-p', 'loop:=true', '-p', 'rate:=1'))])
def test_no_node_exits_because_of_an_unused_parameter(
        client: Any, start_executable: Callable[..., Any], recorded: Path, tmp_path: Path, executable: str, name: str,
        arguments: tuple[str, ...]) -> None:
    process = start_executable(executable, '--ros-args', '-r', f'__node:=other_{name}', *(
        text.format(folder=tmp_path, bag=recorded) for text in arguments))
    client.wait_for(lambda: f'other_{name}' in client.node.get_node_names(), 'the node', process)
    for use_sim_time in (True, False):
        client.apply(f'/other_{name}', use_sim_time=use_sim_time)
    for value, reason in (({'no_such_parameter': 1}, 'no_such_parameter'), ({'use_sim_time': 3}, 'Wrong parameter type')):
        result, = client.set_parameters(f'/other_{name}', **value)
        assert not result.successful and reason in result.reason, result.reason
    assert client.get_parameters(f'/other_{name}', 'use_sim_time') == [False]
    assert process.is_alive and process.stop() == 0, process.log
    assert 'Traceback' not in process.log


@pytest.fixture(name='recorded', scope='module')
def recorded_fixture(client: Any, start_executable: Callable[..., Any], tmp_path_factory: Any) -> Path:
    """A bag with a few images."""
    bag = tmp_path_factory.mktemp('bag') / 'few'
    recorder = start_executable('recorder_node', '--ros-args', '-r', '__node:=first', '-p', f'output:={bag}', '-p',
                                "topics:=['few/image:sensor_msgs/msg/Image']")
    publisher = client.publisher(Image, '/few/image')
    client.wait_for(lambda: publisher.get_subscription_count() > 0 and any(bag.glob('*.mcap')), 'the recorder', recorder)
    sent: list[Image] = []

    def send() -> bool:
        sent.append(Image(encoding='mono8', height=1, width=1, step=1, data=b'\0'))
        publisher.publish(sent[-1])
        return len(sent) == 20
    client.wait_for(send, 'the images', recorder)
    assert recorder.stop() == 0, recorder.log
    return bag


@pytest.mark.parametrize(('executable', 'arguments', 'reason'), [
    ('segmentation_node', ('-p', 'checkpoint:=[]'), 'parameter checkpoint is an empty list'),
    ('recorder_node', ('-p', 'topics:=[]'), 'parameter topics is empty'),
    ('player_node', ('-p', 'rate:=[1, 0.5'), 'rate:=[1, 0.5')])
def test_unusable_parameters_end_the_start_with_one_line(
        start_executable: Callable[..., Any], executable: str, arguments: tuple[str, ...], reason: str) -> None:
    process = start_executable(executable, '--ros-args', *arguments)
    assert process.wait() == 1
    assert reason in process.log.splitlines()[-1] and 'Traceback' not in process.log and '.c:' not in process.log.splitlines()[-1]
