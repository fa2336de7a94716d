# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, loaded by the ROS launch system: what they would start; skipped where it is not installed."""
from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import yaml

pytest.importorskip('launch_ros')
pytest.importorskip('rclpy')

from launch.actions import DeclareLaunchArgument
from launch.events.process import ProcessExited
from launch.utilities import perform_substitutions
from launch_ros.actions import Node as NodeAction

from fanet_ros.launch_arguments import CAMERA_PARAMETERS, NODE_PARAMETERS
from fanet_ros.package_share import share_directory
from fanet_ros.ros.camera.parameters import CameraSettings
from fanet_ros.ros.common.launch_parameters import given_parameters
from fanet_ros.ros.common.parameters import Settings
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from launch import LaunchContext


def load_launch_file(name: str) -> ModuleType:
    """Import a launch file as a module."""
    spec = importlib.util.spec_from_file_location(name, share_directory() / 'launch' / f'{name}.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declare_arguments(launch_file: str, context: LaunchContext) -> None:
    """Give the launch file's arguments their defaults, where they have no value yet."""
    for action in load_launch_file(launch_file).generate_launch_description().entities:
        if isinstance(action, DeclareLaunchArgument):
            action.execute(context)


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


def demo_context(**given: str) -> LaunchContext:
    context = LaunchContext()
    declare_arguments('demo', context)
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
    declare_arguments(launch_file, context)
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
        declare_arguments(launch_file, context)
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
        declare_arguments(launch_file, context)
        with pytest.raises(ValueError, match='image_topic is for one camera, cameras for several: give cameras:=front=/eye'):
            getattr(load_launch_file(launch_file), function)(context)


@pytest.mark.parametrize(('launch_file', 'argument'), [('segmentation', 'params_file'), ('demo', 'camera_params_file')])
def test_a_missing_parameter_file_is_refused(launch_file: str, argument: str, tmp_path: Path) -> None:
    module = load_launch_file(launch_file)
    context = LaunchContext()
    declare_arguments(launch_file, context)
    make = module.segmentation_node if launch_file == 'segmentation' else module.camera_node
    assert isinstance(make(context)[0], NodeAction)
    context.launch_configurations[argument] = str(tmp_path / 'typo.yaml')
    with pytest.raises(RuntimeError, match=f"{argument} '.*typo.yaml' does not exist: expected the path of a YAML file"):
        make(context)
