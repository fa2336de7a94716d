"""The launch files, read and run by the real launch system; skipped where that, a part of ROS, is missing."""
from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import ModuleType
from typing import Callable, Iterator

import pytest
import yaml

pytest.importorskip('launch_ros')
rclpy = pytest.importorskip('rclpy')

from launch import LaunchContext  # noqa: E402
from launch.actions import DeclareLaunchArgument  # noqa: E402
from rcl_interfaces.srv import GetParameters  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from fanet_ros.package_share import share_directory  # noqa: E402

DEADLINE_S = 90.0
NAMESPACE = '/launch_test'
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


def load_launch_file(name: str) -> ModuleType:
    """Import a launch file as a module."""
    spec = importlib.util.spec_from_file_location(name, share_directory() / 'launch' / f'{name}.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parameters_of(file_name: str) -> dict:
    """Return the parameters of a file in config/."""
    content = yaml.safe_load((share_directory() / 'config' / file_name).read_text(encoding='utf-8'))
    return content['/**']['ros__parameters']


@pytest.mark.parametrize(('launch_file', 'table', 'params_file'), [
    ('segmentation', 'NODE_PARAMETERS', 'segmentation.param.yaml'),
    ('demo', 'CAMERA_PARAMETERS', 'camera.param.yaml'),
])
def test_every_parameter_argument_is_a_parameter_of_that_type_and_left_out_by_default(
        launch_file, table, params_file):
    module = load_launch_file(launch_file)
    parameters = parameters_of(params_file)
    arguments = {action.name: action for action in module.generate_launch_description().entities
                 if isinstance(action, DeclareLaunchArgument)}
    for name, (value_type, _) in getattr(module, table).items():
        assert type(parameters[name]) is value_type
        assert [part.text for part in arguments[name].default_value] == ['']


@pytest.mark.parametrize('chosen', [None, *PROFILE_VARIABLES])
def test_the_dds_profile_is_ours_unless_the_user_chose_one(chosen, monkeypatch):
    for variable in PROFILE_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    expected = str(share_directory() / 'config' / 'fastdds.xml')
    if chosen:
        expected = '/home/user/profile.xml'
        monkeypatch.setenv(chosen, expected)
    context = LaunchContext()
    for action in load_launch_file('segmentation').dds_profile():
        action.execute(context)
    assert [os.path.realpath(context.environment[variable]) for variable in PROFILE_VARIABLES] == (
        [os.path.realpath(expected)] * 2)


@pytest.fixture
def node() -> Iterator[Node]:
    """A node of the test's own."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('launch_test_observer', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def spin_until(node: Node, condition: Callable[[], bool], process: subprocess.Popen, what: str) -> None:
    """Spin the node until the condition holds; fail when the process ends before or the deadline passes."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert process.poll() is None, f'ros2 launch ended with {process.returncode} before {what}'
        assert time.monotonic() < deadline, f'no {what} within {DEADLINE_S:.0f} s'
        node.executor.spin_once(timeout_sec=0.1)


def test_demo_launch_runs_camera_and_node_with_the_given_settings(node, tmp_path):
    if shutil.which('ros2') is None:
        pytest.skip('the ros2 command line tools are not installed')
    params_file = tmp_path / 'mine.yaml'
    mine = {'device': 'cpu', 'input_height': 128, 'input_width': 160}
    params_file.write_text(yaml.safe_dump({'/**': {'ros__parameters': mine}}), encoding='utf-8')
    images: dict[tuple[int, int], Image] = {}
    masks: list[Image] = []
    node.create_subscription(
        Image, f'{NAMESPACE}/front/image_raw',
        lambda image: images.update({(image.header.stamp.sec, image.header.stamp.nanosec): image}),
        QoSProfile(depth=5))
    node.create_subscription(Image, f'{NAMESPACE}/segmentation/mask', masks.append, QoSProfile(depth=5))
    get_parameters = node.create_client(GetParameters, f'{NAMESPACE}/segmentation/get_parameters')

    with open(tmp_path / 'launch.log', 'wb') as log:
        process = subprocess.Popen(
            ['ros2', 'launch', 'fanet_ros', 'demo.launch.py', f'namespace:={NAMESPACE[1:]}',
             f'params_file:={params_file}', 'image_topic:=front/image_raw', 'input_width:=128',
             'rate_hz:=5.0', 'width:=320', 'height:=240'],
            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        spin_until(node, lambda: len(masks) >= 3, process, 'three masks')
        for mask in masks[-2:]:
            assert (mask.encoding, mask.height, mask.width, mask.step) == ('mono8', 240, 320, 320)
            image = images[mask.header.stamp.sec, mask.header.stamp.nanosec]
            assert image.header == mask.header
            assert set(mask.data) <= {*range(11), 255}
        future = get_parameters.call_async(
            GetParameters.Request(names=['input_height', 'input_width', 'use_sim_time']))
        spin_until(node, future.done, process, 'answer about the parameters')
        height, width, use_sim_time = future.result().values
        # The file says 128x160; the argument that was given overrides it, those left out do not.
        assert (height.integer_value, width.integer_value, use_sim_time.bool_value) == (128, 128, False)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0, Path(log.name).read_text(encoding='utf-8')
        # Both processes took the signal as a request to end, and said so by their exit codes.
        assert Path(log.name).read_text(encoding='utf-8').count('process has finished cleanly') == 2
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
