# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, loaded and run by the ROS launch system; skipped where it is not installed."""
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

from launch.actions import DeclareLaunchArgument  # noqa: E402
from launch.events.process import ProcessExited  # noqa: E402
from launch.utilities import perform_substitutions  # noqa: E402
from launch_ros.actions import Node as NodeAction  # noqa: E402
from rcl_interfaces.srv import GetParameters  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from fanet_ros.launch_arguments import CAMERA_PARAMETERS, NODE_PARAMETERS  # noqa: E402
from fanet_ros.package_share import share_directory  # noqa: E402
from fanet_ros.ros.camera.parameters import CameraSettings  # noqa: E402
from fanet_ros.ros.common.launch_parameters import given_parameters  # noqa: E402
from fanet_ros.ros.common.parameters import Settings  # noqa: E402
from fanet_ros.ros.segmentation.parameters import SegmentationSettings  # noqa: E402
from launch import LaunchContext  # noqa: E402

DEADLINE_S = 90.0
NAMESPACE = '/launch_test'


def load_launch_file(name: str) -> ModuleType:
    """Import a launch file as a module."""
    spec = importlib.util.spec_from_file_location(name, share_directory() / 'launch' / f'{name}.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(('launch_file', 'names', 'settings'), [
    ('segmentation', NODE_PARAMETERS, SegmentationSettings), ('demo', CAMERA_PARAMETERS, CameraSettings)])
def test_every_parameter_argument_has_the_parameters_description_and_is_empty_by_default(
        launch_file: str, names: tuple[str, ...], settings: type[Settings]) -> None:
    module = load_launch_file(launch_file)
    arguments = {action.name: action for action in module.generate_launch_description().entities
                 if isinstance(action, DeclareLaunchArgument)}
    descriptions = {spec.name: spec.description for spec in settings.specs()}
    for name in names:
        assert arguments[name].description.startswith(descriptions[name])
        assert [part.text for part in arguments[name].default_value] == ['']


def test_only_given_parameter_arguments_override_the_file_with_the_declared_type() -> None:
    context = LaunchContext()
    context.launch_configurations.update({**dict.fromkeys(NODE_PARAMETERS, ''), 'input_height': '96', 'autostart': 'false',
                                          'checkpoint': '007'})
    given = given_parameters(context, SegmentationSettings, NODE_PARAMETERS)
    assert given.pop('input_height') == 96
    assert {name: value.evaluate(context) for name, value in given.items()} == {'autostart': False, 'checkpoint': '007'}
    context.launch_configurations['input_height'] = 'tall'
    with pytest.raises(ValueError, match="input_height is 'tall': expected a whole number"):
        given_parameters(context, SegmentationSettings, NODE_PARAMETERS)


@pytest.fixture
def node() -> Iterator[Node]:
    """A node inside the test."""
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
    """Spin the node until the condition holds; fails if the process ends first or the deadline passes."""
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
        # The file sets 128x160; the given argument overrides it, the omitted ones do not.
        assert (height.integer_value, width.integer_value, use_sim_time.bool_value) == (128, 128, False)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0, Path(log.name).read_text(encoding='utf-8')
        # Both processes exited with code 0 on the signal.
        assert Path(log.name).read_text(encoding='utf-8').count('process has finished cleanly') == 2
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def demo_context(**given: str) -> LaunchContext:
    context = LaunchContext()
    for action in load_launch_file('demo').generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            action.execute(context)
    context.launch_configurations.update(
        {'namespace': '', 'use_sim_time': 'false', 'log_level': 'info', 'respawn': 'false', **given})
    return context


def test_the_demo_simulates_each_of_several_cameras() -> None:
    context = demo_context(cameras='front, rear/left=/eye/image_raw')
    lines = [command_line(node, context) for node in load_launch_file('demo').camera_node(context)]
    recorded = load_launch_file('record').topics(launch_arguments('record', cameras='front, rear/left=/eye/image_raw'))
    for (words, _), topic, beside in zip(lines, ('front/image', '/eye/image_raw'), ('front', '/eye')):
        assert f'-r image:={topic} ' in words and f'-r camera_info:={beside}/camera_info' in words
        assert f'-r ground_truth:={beside}/ground_truth' in words
        assert f'{beside}/ground_truth:sensor_msgs/msg/Image?' in recorded
    assert len(lines) == 2 and lines[0][1].get('seed') != lines[1][1].get('seed')


def test_the_demo_does_not_open_a_device_for_each_of_several_cameras(tmp_path: Path) -> None:
    (link := tmp_path / 'usb_camera').symlink_to('/dev/video0')
    for source in ('/dev/video0', str(link)):
        with pytest.raises(RuntimeError, match='cannot be opened by 2 cameras at once: start segmentation.launch.py, and for each'):
            load_launch_file('demo').camera_node(demo_context(cameras='front,left', source=source))
        assert len(load_launch_file('demo').camera_node(demo_context(cameras='front', source=source))) == 1


@pytest.mark.parametrize(('executable', 'respawn', 'ends'), [
    ('dashboard', 'false', False), ('segmentation_node', 'true', False), ('segmentation_node', 'false', True),
    ('camera_node', 'true', True)])
def test_the_demo_ends_with_camera_and_node_but_not_with_what_it_can_do_without(executable: str, respawn: str, ends: bool) -> None:
    node = NodeAction(package='fanet_ros', executable=executable)
    event = ProcessExited(action=node, name=executable, cmd=[], cwd=None, env=None, pid=1, returncode=0)
    assert bool(load_launch_file('demo').end_with(event, demo_context(respawn=respawn))) == ends


def launch_arguments(launch_file: str, **given: str) -> dict[str, str]:
    """Default arguments of a launch file, updated with the given ones."""
    module = load_launch_file(launch_file)
    return {**{name: default or '' for name, (default, _) in module.ARGUMENTS.items()}, **given}


def test_record_launch_records_camera_masks_and_class_names():
    record = load_launch_file('record')
    chosen = record.topics(launch_arguments('record', image_topic='/cam/image_raw/compressed'))
    assert {'/cam/image_raw/compressed', '/cam/camera_info?', 'segmentation/mask:sensor_msgs/msg/Image',
            'segmentation/timing:fanet_ros/msg/FrameTiming', 'segmentation/class_map:fanet_ros/msg/ClassMap',
            'segmentation/label_info?', 'segmentation/overlay:sensor_msgs/msg/Image'} <= set(chosen)
    chosen = record.topics(launch_arguments('record', camera='false', masks='png', overlay='false'))
    assert sorted(topic.rstrip('?').partition(':')[0] for topic in chosen) == [
        '/diagnostics', 'segmentation/class_map', 'segmentation/label_info', 'segmentation/mask/compressed',
        'segmentation/timing']
    chosen = record.topics(launch_arguments('record', cameras='front, left', overlay='false'))
    assert {'front/image', 'front/camera_info?', 'left/image', 'segmentation/front/mask:sensor_msgs/msg/Image',
            'segmentation/left/class_map:fanet_ros/msg/ClassMap'} <= set(chosen)
    with pytest.raises(ValueError, match="masks is 'jpeg': expected one of raw, png"):
        record.topics(launch_arguments('record', masks='jpeg'))


def test_the_dashboard_is_started_on_request():
    def started(**arguments: str) -> list:
        context = LaunchContext()
        context.launch_configurations.update({'namespace': 'robot', 'dashboard_address': '127.0.0.1', **arguments})
        return load_launch_file('segmentation').dashboard(context, {'image': '/camera/image_raw'})
    assert started(dashboard='false') == [] and len(started(dashboard='true')) == 1
    with pytest.raises(ValueError, match="dashboard is 'yes': expected true or false"):
        started(dashboard='yes')


def command_line(node: NodeAction, context: LaunchContext) -> tuple[str, dict[str, object]]:
    """Arguments of a node's process, and all parameters in the files among them."""
    node._perform_substitutions(context)        # execute() does this too, but also starts the process
    context.extend_locals({'ros_specific_arguments': {'name': '', 'ns': ''}})
    words = [perform_substitutions(context, word) for word in node.cmd]
    files = [Path(file) for option, file in zip(words, words[1:]) if option == '--params-file']
    # A full load, since launch writes lists as tuples.
    sections = [section for file in files for section in yaml.full_load(file.read_text(encoding='utf-8')).values()]
    return ' '.join(words), {name: value for section in sections for name, value in section['ros__parameters'].items()}


@pytest.mark.parametrize(('launch_file', 'function', 'executables'), [
    ('segmentation', 'segmentation_node', ['segmentation_node', 'dashboard']), ('demo', 'camera_node', ['camera_node']),
    ('record', 'recorder', ['recorder_node']), ('replay', 'player', ['player_node'])])
def test_every_node_gets_the_clock_and_the_log_level(launch_file: str, function: str, executables: list[str]) -> None:
    module = load_launch_file(launch_file)
    context = LaunchContext()
    context.launch_configurations.update({'bag': 'drive', 'namespace': 'robot', 'recorder': 'fanet_ros', 'dashboard': 'true',
                                          'use_sim_time': 'true', 'log_level': 'warn'})
    for action in module.generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            action.execute(context)
    nodes = [action for action in getattr(module, function)(context) if isinstance(action, NodeAction)]
    assert [node.node_executable for node in nodes] == executables
    for node in nodes:
        words, parameters = command_line(node, context)
        assert '--log-level warn' in words
        if launch_file == 'replay':         # the player publishes the clock
            assert 'use_sim_time' not in parameters
        else:
            assert parameters['use_sim_time'] is True


@pytest.mark.parametrize('image_topic', ['/cam/image_raw', '/cam/image_raw/compressed'])
def test_the_topic_of_compressed_images_may_be_given_with_or_without_its_suffix(image_topic: str) -> None:
    given = {'image_topic': image_topic, 'image_transport': 'compressed'}
    context = LaunchContext()
    for launch_file in ('segmentation', 'demo'):
        for action in load_launch_file(launch_file).generate_launch_description().entities:
            if isinstance(action, DeclareLaunchArgument):
                action.execute(context)
    context.launch_configurations.update(given)
    nodes = [load_launch_file('demo').camera_node(context)[0], load_launch_file('segmentation').segmentation_node(context)[0]]
    camera, segmentation = (f'{command_line(node, context)[0]} ' for node in nodes)
    assert '-r image/compressed:=/cam/image_raw/compressed ' in camera and '-r camera_info:=/cam/camera_info ' in camera
    assert '-r image/compressed:=/cam/image_raw/compressed ' in segmentation
    arguments = launch_arguments('replay', segment='true', namespace='', cameras='', **given)
    assert load_launch_file('replay').image_topics(arguments) == ['/cam/image_raw/compressed']


def test_the_players_log_level_needs_no_argument() -> None:
    context = LaunchContext()
    context.launch_configurations.update(launch_arguments('replay', bag='drive'))
    player, = (action for action in load_launch_file('replay').player(context) if isinstance(action, NodeAction))
    assert '--log-level info' in command_line(player, context)[0]


@pytest.mark.parametrize('distribution', ['humble', 'jazzy'])
def test_record_launch_can_use_rosbag2(distribution, tmp_path):
    overrides = tmp_path / 'qos.yaml'
    arguments = launch_arguments('record', namespace='robot', output='drive', overlay='false', max_bag_duration_s='60.0',
                                 max_bag_size_mb='500', use_sim_time='true')
    rosbag2_command = load_launch_file('record').rosbag2_command
    command = rosbag2_command(arguments, overrides, ['rosbag2_storage_mcap'], distribution)
    options = dict(zip(command[3::2], command[4::2]))
    assert command[:3] == ['ros2', 'bag', 'record'] and options['--storage'] == 'mcap'
    assert (options['--output'], options['--max-bag-duration'], options['--max-bag-size']) == (
        'drive', '60', '500000000')
    assert '--use-sim-time' in command and ('--topics' in command) == (distribution == 'jazzy')
    assert {'/robot/image', '/robot/segmentation/mask', '/robot/segmentation/label_info',
            '/diagnostics'} <= set(command)
    assert options['--qos-profile-overrides-path'] == str(overrides)
    latched = yaml.safe_load(overrides.read_text(encoding='utf-8'))
    assert {name: qos['durability'] for name, qos in latched.items()} == {
        '/robot/segmentation/class_map': 'transient_local', '/robot/segmentation/label_info': 'transient_local'}
    command = rosbag2_command({**arguments, 'max_bag_duration_s': '0.3', 'use_sim_time': 'false'}, overrides, [], distribution)
    assert command[command.index('--max-bag-duration') + 1] == '1'
    assert not {'--storage', '--use-sim-time'} & set(command)


def test_rosbag2_records_if_installed():
    choose = load_launch_file('record').choose_recorder
    there = ['fanet_ros', 'ros2bag', 'rosbag2_transport']
    assert [choose(asked, there) for asked in ('auto', 'rosbag2', 'fanet_ros')] == ['rosbag2', 'rosbag2', 'fanet_ros']
    assert choose('auto', ['fanet_ros', 'ros2bag']) == choose('fanet_ros', []) == 'fanet_ros'
    with pytest.raises(ValueError, match='recorder is rosbag2: expected the packages .*, or leave recorder out'):
        choose('rosbag2', ['ros2bag'])


def test_replay_launch_plays_everything_or_only_the_camera():
    replay = load_launch_file('replay')
    given = {'bag': 'drive', 'namespace': 'robot', 'image_topic': '', 'cameras': '', 'image_transport': ''}
    assert replay.rosbag2_command(launch_arguments('replay', **given)) == [
        'ros2', 'bag', 'play', 'drive', '--clock']
    assert replay.rosbag2_command(launch_arguments('replay', rate='0.5', **given))[-2:] == ['--rate', '0.5']
    given.update(segment='true', image_transport='compressed', loop='true')
    assert replay.rosbag2_command(launch_arguments('replay', **given))[-3:] == [
        '--loop', '--topics', '/robot/image/compressed']
    given.update(cameras='front,left=/left/image_raw', image_transport='')
    assert replay.image_topics(launch_arguments('replay', **given)) == ['/robot/front/image', '/left/image_raw']
    assert replay.mask_topics(launch_arguments('replay', **given)) == [
        '/robot/segmentation/front/mask', '/robot/segmentation/left/mask']


def test_cameras_and_transport_may_be_in_the_parameter_file(tmp_path: Path) -> None:
    params_file = tmp_path / 'mine.yaml'
    mine = {'cameras': ['front', 'left'], 'image_transport': 'compressed'}
    params_file.write_text(yaml.safe_dump({'/robot/segmentation': {'ros__parameters': mine}}), encoding='utf-8')
    given = {'params_file': str(params_file), 'namespace': 'robot'}
    context = LaunchContext()
    context.launch_configurations.update(launch_arguments('replay', bag='drive', segment='true', **given))
    player, = (action for action in load_launch_file('replay').player(context) if isinstance(action, NodeAction))
    parameters = command_line(player, context)[1]
    assert parameters['topics'] == '/robot/front/image/compressed,/robot/left/image/compressed'
    assert parameters['masks'] == '/robot/segmentation/front/mask,/robot/segmentation/left/mask'
    for node, name in zip(load_launch_file('demo').camera_node(demo_context(**given)), mine['cameras']):
        words, parameters = command_line(node, demo_context(**given))
        assert f'-r image/compressed:={name}/image/compressed ' in words and parameters['transport'] == 'compressed'

    context.launch_configurations.update(cameras='rear', image_transport='raw')         # the arguments come first
    player, = (action for action in load_launch_file('replay').player(context) if isinstance(action, NodeAction))
    assert command_line(player, context)[1]['topics'] == '/robot/rear/image'
    context.launch_configurations.update(cameras='', image_topic='/eye')
    for launch_file, function in (('replay', 'player'), ('segmentation', 'segmentation_node'), ('demo', 'camera_node')):
        module = load_launch_file(launch_file)
        for action in module.generate_launch_description().entities:
            if isinstance(action, DeclareLaunchArgument):
                action.execute(context)
        with pytest.raises(ValueError, match='image_topic is for one camera, cameras for several: give cameras:=front=/eye'):
            getattr(module, function)(context)


def test_a_drive_is_recorded_and_its_camera_segmented_again(node, tmp_path):
    if shutil.which('ros2') is None:
        pytest.skip('the ros2 command line tools are not installed')
    from rosbags.highlevel import AnyReader
    bag = tmp_path / 'drive'
    masks: list[Image] = []
    new_masks: list[Image] = []
    mask_topic = f'{NAMESPACE}/segmentation/mask'
    node.create_subscription(Image, mask_topic, masks.append, QoSProfile(depth=5))

    def start(name: str, *arguments: str) -> subprocess.Popen:
        with open(tmp_path / f'{name}.log', 'ab') as log:
            started.append(subprocess.Popen(
                ['ros2', 'launch', 'fanet_ros', f'{name}.launch.py', f'namespace:={NAMESPACE[1:]}', *arguments],
                stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True))
        return started[-1]
    started: list[subprocess.Popen] = []
    try:
        record = start('record', f'output:={bag}', 'recorder:=fanet_ros', 'overlay:=false', 'masks:=png', 'max_bag_duration_s:=3')
        demo = start('demo', 'device:=cpu', 'input_height:=96', 'input_width:=128', 'rate_hz:=5.0', 'width:=160',
                     'height:=120')
        spin_until(node, lambda: bool(masks), demo, 'a mask')
        spin_until(node, lambda: (bag / 'drive_1.mcap').exists(), record, 'a second file')
        for process in (record, demo):
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE_S)
        with AnyReader([bag]) as reader:
            counts = {connection.topic: connection.msgcount for connection in reader.connections}
        assert counts[f'{NAMESPACE}/image'] and counts[f'{NAMESPACE}/segmentation/mask/compressed']
        assert counts[f'{NAMESPACE}/segmentation/class_map'] >= 2, counts

        node.create_subscription(Image, mask_topic, new_masks.append, QoSProfile(depth=5))       # record and demo have ended
        replay = start('replay', f'bag:={bag}', 'segment:=true', 'device:=cpu', 'input_height:=96', 'input_width:=128',
                       'loop:=true')
        spin_until(node, lambda: len(new_masks) >= 3, replay, 'masks of the recorded camera')
        with AnyReader([bag]) as reader:
            recorded = {reader.deserialize(raw, connection.msgtype).header.stamp.sec
                        for connection, _, raw in reader.messages(
                            [item for item in reader.connections if item.topic == f'{NAMESPACE}/image'])}
        assert {mask.header.stamp.sec for mask in new_masks} <= recorded
        replay.send_signal(signal.SIGINT)
        assert replay.wait(DEADLINE_S) == 0, (tmp_path / 'replay.log').read_text(encoding='utf-8')
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.mark.parametrize(('launch_file', 'argument'), [('segmentation', 'params_file'), ('demo', 'camera_params_file')])
def test_a_missing_parameter_file_is_refused(launch_file: str, argument: str, tmp_path: Path) -> None:
    from launch import LaunchContext
    module = load_launch_file(launch_file)
    context = LaunchContext()
    for action in module.generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            action.execute(context)
    make = module.segmentation_node if launch_file == 'segmentation' else module.camera_node
    assert isinstance(make(context)[0], NodeAction)
    context.launch_configurations[argument] = str(tmp_path / 'typo.yaml')
    with pytest.raises(RuntimeError, match=f"{argument} '.*typo.yaml' does not exist: expected the path of a YAML file"):
        make(context)


def test_a_demo_with_an_unknown_argument_starts_nothing() -> None:
    if shutil.which('ros2') is None:
        pytest.skip('the ros2 command line tools are not installed')
    ended = subprocess.run(['ros2', 'launch', 'fanet_ros', 'demo.launch.py', 'sauce:=street'],
                           capture_output=True, text=True, timeout=DEADLINE_S)
    printed = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "no argument 'sauce': did you mean source?" in printed
    assert 'process started' not in printed
