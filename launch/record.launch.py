# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record camera, masks, timing and class map of a running node into a rosbag2 bag; Ctrl-C closes it.

    ros2 launch fanet_ros record.launch.py image_topic:=/camera/image_raw output:=drive_1
    ros2 launch fanet_ros record.launch.py camera:=false masks:=png max_bag_duration_s:=300     # hours on a small disk
    ros2 launch fanet_ros record.launch.py cameras:=front,left namespace:=robot

Masks are recorded raw or as lossless PNG. rosbag2 records if it is installed, otherwise this package's own
recorder (recorder:=fanet_ros), which repeats class map and label info in every file of a split bag.
"""
import os
import tempfile
from pathlib import Path
from typing import Collection, Iterable, Union

import yaml
from ament_index_python.packages import get_packages_with_prefixes
from launch.action import Action
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from fanet_ros.host.dds_profile import choose_dds_profile
from fanet_ros.launch_arguments import (
    beside,
    camera_topics,
    fail_as,
    flag,
    has_rosbag2,
    in_namespace,
    number,
    refuse_unknown,
    require_rosbag2,
    uncompressed,
)
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    'namespace': ('', 'namespace of the segmentation node'),
    'image_topic': ('', 'camera topic, raw or .../compressed (empty: image)'),
    'cameras': ('', 'cameras of a node with several: NAME or NAME=TOPIC, comma-separated (default TOPIC: NAME/image)'),
    'camera': ('true', 'also record camera images and calibration'),
    'masks': ('raw', 'raw: uncompressed masks; png: the same values in a tenth of the space'),
    'overlay': ('true', 'also record the overlay (without this recording the node does not compute it)'),
    'output': ('', 'directory of the new bag (empty: rosbag2_ and the date)'),
    'max_bag_duration_s': ('', 'maximum duration of each file of the bag [s] (default: one file)'),
    'max_bag_size_mb': ('', 'maximum size of each file of the bag [MB] (default: one file)'),
    'recorder': ('auto', 'rosbag2: ros2 bag record; fanet_ros: recorder_node of this package; auto: rosbag2 if installed'),
    'use_sim_time': ('false', 'use time from /clock (simulators and rosbags)'),
    'log_level': ('info', 'of recorder_node: debug, info, warn, error or fatal; rosbag2 keeps its own'),
}
MASKS = {'raw': 'mask:sensor_msgs/msg/Image', 'png': 'mask/compressed:sensor_msgs/msg/CompressedImage'}
LATCHED = ('class_map', 'label_info')
QUEUE_DEPTH = 100


def topics(argument: dict[str, str]) -> list[str]:
    """Topics to record, relative to the namespace, each NAME or NAME:TYPE, with a trailing ? if optional.

    :raises ValueError: an argument is not among its choices
    """
    for name, choices in (('masks', tuple(MASKS)), ('camera', ('true', 'false')), ('overlay', ('true', 'false')),
                          ('recorder', ('auto', 'rosbag2', 'fanet_ros'))):
        if argument[name] not in choices:
            raise ValueError(f'{name} is {argument[name]!r}: expected one of {", ".join(choices)}')
    cameras = camera_topics(argument['cameras'], argument['image_topic'])
    images = list(cameras.values()) or [argument['image_topic'] or 'image']
    found = ['/diagnostics:diagnostic_msgs/msg/DiagnosticArray?']
    if argument['camera'] == 'true':
        found += images
        for image in images:
            found.append(beside(uncompressed(image), 'camera_info?'))
            if cameras:
                found.append(beside(uncompressed(image), 'ground_truth:sensor_msgs/msg/Image?'))
        if not cameras:
            found.append('ground_truth:sensor_msgs/msg/Image?')
    for prefix in [f'segmentation/{camera}' for camera in cameras] or ['segmentation']:
        found += [f'{prefix}/{MASKS[argument["masks"]]}', f'{prefix}/timing:fanet_ros/msg/FrameTiming',
                  f'{prefix}/class_map:fanet_ros/msg/ClassMap', f'{prefix}/label_info?']
        if argument['overlay'] == 'true':
            found.append(f'{prefix}/overlay:sensor_msgs/msg/Image')
    return found


def full_name(topic: str, namespace: str) -> str:
    """Full topic name, with the namespace, for NAME or NAME:TYPE."""
    return in_namespace(topic.rstrip('?').partition(':')[0], namespace)


def choose_recorder(asked: str, installed: Collection[str]) -> str:
    """Which recorder to start, rosbag2 or fanet_ros.

    :param asked: auto, rosbag2 or fanet_ros
    :param installed: names of the installed ROS packages
    :raises ValueError: rosbag2 was requested but is not installed
    """
    if asked == 'auto':
        return 'rosbag2' if has_rosbag2(installed) else 'fanet_ros'
    if asked == 'rosbag2':
        require_rosbag2('recorder', installed)
    return asked


def qos_overrides(names: Iterable[str]) -> dict[str, dict[str, object]]:
    """QoS overrides for rosbag2: latched topics, with a depth for several nodes. Other topics adapt to their publishers."""
    return {name: {'history': 'keep_last', 'depth': QUEUE_DEPTH, 'durability': 'transient_local'}
            for name in names if name.rpartition('/')[2] in LATCHED}


def given_limits(argument: dict[str, str]) -> dict[str, Union[int, float]]:
    """The file limits that were given; the recorder has defaults for the others."""
    kinds = {'max_bag_duration_s': float, 'max_bag_size_mb': int}
    return {name: number(name, argument[name], kind) for name, kind in kinds.items() if argument[name]}


def rosbag2_command(argument: dict[str, str], overrides: Path, installed: Collection[str], distribution: str) -> list[str]:
    """The command line of ros2 bag record, whose options differ from distribution to distribution.

    :param overrides: file to write the QoS of latched topics into
    """
    names = [full_name(topic, argument['namespace']) for topic in topics(argument)]
    overrides.write_text(yaml.safe_dump(qos_overrides(names)), encoding='utf-8')
    command = ['ros2', 'bag', 'record', '--qos-profile-overrides-path', str(overrides)]
    if 'rosbag2_storage_mcap' in installed:
        command += ['--storage', 'mcap']
    if argument['output']:
        command += ['--output', os.path.expanduser(argument['output'])]
    limits = given_limits(argument)
    if limits.get('max_bag_duration_s'):
        whole_s = max(round(limits['max_bag_duration_s']), 1)      # rosbag2 takes whole seconds, and 0 means no limit
        command += ['--max-bag-duration', str(whole_s)]
    if limits.get('max_bag_size_mb'):
        command += ['--max-bag-size', str(limits['max_bag_size_mb'] * 10**6)]
    if flag('use_sim_time', argument['use_sim_time']):
        command.append('--use-sim-time')
    return [*command, *([] if distribution in ('humble', 'iron') else ['--topics']), *names]


def recorder(context: LaunchContext) -> list[Action]:
    """Start the chosen recorder."""
    refuse_unknown(__file__, context.argv, ARGUMENTS)
    argument = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    chosen = topics(argument)
    installed = get_packages_with_prefixes()
    if choose_recorder(argument['recorder'], installed) == 'rosbag2':
        return rosbag2_recorder(argument, installed)
    node = Node(
        package='fanet_ros', executable='recorder_node', name='recorder', output='screen',
        namespace=argument['namespace'],
        parameters=[{
            'output': ParameterValue(argument['output'], value_type=str),
            'topics': chosen,
            **given_limits(argument),
            'use_sim_time': flag('use_sim_time', argument['use_sim_time']),
        }],
        ros_arguments=['--log-level', argument['log_level']])
    return [node, RegisterEventHandler(OnProcessExit(target_action=node, on_exit=fail_with))]


def rosbag2_recorder(argument: dict[str, str], installed: Collection[str]) -> list[Action]:
    """Run ros2 bag record, and clean up when it exits."""
    handle, path = tempfile.mkstemp(suffix='.yaml', prefix='fanet_ros_qos_')
    os.close(handle)
    environment = dict(os.environ)
    choose_dds_profile(environment)         # the executables of this package do this themselves
    process = ExecuteProcess(
        cmd=rosbag2_command(argument, Path(path), installed, os.environ.get('ROS_DISTRO', '')), env=environment, output='screen')

    def ended(event: ProcessExited, context: LaunchContext) -> None:
        Path(path).unlink(missing_ok=True)
        if not context.is_shutdown:         # after Ctrl-C its exit code is arbitrary
            fail_with(event, context)
    return [process, RegisterEventHandler(OnProcessExit(target_action=process, on_exit=ended))]


def fail_with(event: ProcessExited, context: LaunchContext) -> None:
    """Fail the launch if the process failed."""
    fail_as(event.process_name, event.returncode, context.is_shutdown)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the recorder."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=recorder),
    ])
