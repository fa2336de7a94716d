# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record camera, masks, timing and what the classes mean into a rosbag2 MCAP bag; Ctrl-C completes it.

    ros2 launch fanet_ros record.launch.py image_topic:=/camera/image_raw output:=drive_1
    ros2 launch fanet_ros record.launch.py camera:=false masks:=png max_bag_duration_s:=300     # hours on a small disk
    ros2 launch fanet_ros record.launch.py cameras:=front,left namespace:=robot

Masks are recorded as they are or as PNG, which loses nothing. Every file of a split bag holds class map and label info.
"""
import os
import tempfile
from typing import Union

import yaml
from launch.action import Action
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from fanet_ros.host.dds_profile import choose_dds_profile
from fanet_ros.launch_arguments import camera_topics, fail_as, number, refuse_unknown
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    'namespace': ('', 'namespace of the segmentation node'),
    'image_topic': ('', 'camera topic: sensor_msgs/Image, or CompressedImage on such a topic (empty: image)'),
    'cameras': ('', 'cameras of a node that serves several: NAME or NAME=TOPIC, separated by commas (TOPIC left out: NAME/image)'),
    'camera': ('true', 'also record the images of the camera and its calibration'),
    'masks': ('raw', 'raw: the masks as they are; png: the same values in a tenth of the space'),
    'overlay': ('true', 'also record the overlay, which the node computes only because it is recorded'),
    'output': ('', 'directory of the new bag (empty: rosbag2_ and the date)'),
    'max_bag_duration_s': ('', 'length of each file of the bag [s] (left out: one file)'),
    'max_bag_size_mb': ('', 'size of each file of the bag [MB] (left out: one file)'),
    'recorder': ('fanet_ros', 'fanet_ros: recorder_node of this package; ros2_bag: ros2 bag record'),
    'use_sim_time': ('false', 'take the time from /clock: simulators and rosbags'),
}
MASKS = {'raw': 'mask:sensor_msgs/msg/Image', 'png': 'mask/compressed:sensor_msgs/msg/CompressedImage'}
LATCHED = ('class_map', 'label_info')
QUEUE_DEPTH = 100


def topics(argument: dict[str, str]) -> list[str]:
    """What to record, relative to the namespace, each NAME or NAME:TYPE, with ? where it need not be there.

    :raises ValueError: an argument that is none of its choices
    """
    for name, choices in (('masks', tuple(MASKS)), ('camera', ('true', 'false')), ('overlay', ('true', 'false')),
                          ('recorder', ('fanet_ros', 'ros2_bag'))):
        if argument[name] not in choices:
            raise ValueError(f'{name} is {argument[name]!r}: expected one of {", ".join(choices)}')
    cameras = camera_topics(argument['cameras'], argument['image_topic'])
    images = list(cameras.values()) or [argument['image_topic'] or 'image']
    found = ['/diagnostics:diagnostic_msgs/msg/DiagnosticArray?']
    if argument['camera'] == 'true':
        found += images
        for image in images:
            image = image[:-len('/compressed')] if image.endswith('/compressed') else image
            found.append(f'{image.rpartition("/")[0]}/camera_info?' if '/' in image else 'camera_info?')
        found.append('ground_truth:sensor_msgs/msg/Image?')
    for prefix in [f'segmentation/{camera}' for camera in cameras] or ['segmentation']:
        found += [f'{prefix}/{MASKS[argument["masks"]]}', f'{prefix}/timing:fanet_ros/msg/FrameTiming',
                  f'{prefix}/class_map:fanet_ros/msg/ClassMap', f'{prefix}/label_info?']
        if argument['overlay'] == 'true':
            found.append(f'{prefix}/overlay:sensor_msgs/msg/Image')
    return found


def full_name(topic: str, namespace: str) -> str:
    """NAME of NAME:TYPE, with the namespace."""
    name = topic.rstrip('?').partition(':')[0]
    return name if name.startswith('/') else '/'.join(['', *filter(None, [namespace.strip('/')]), name])


def qos_overrides(names: list[str]) -> dict[str, dict[str, object]]:
    """For ros2 bag: room for bursts, and what is latched as such. Reliability is left to adapt to the publishers."""
    return {name: {'history': 'keep_last', 'depth': QUEUE_DEPTH, 'durability': 'transient_local'}
            for name in names if name.rpartition('/')[2] in LATCHED}


def given_limits(argument: dict[str, str]) -> dict[str, Union[int, float]]:
    """Those of the size of a file that were given: what is left out, the recorder decides."""
    kinds = {'max_bag_duration_s': float, 'max_bag_size_mb': int}
    return {name: number(name, argument[name], kind) for name, kind in kinds.items() if argument[name]}


def ros2_bag_command(argument: dict[str, str], distribution: str) -> list[str]:
    """The command line of ros2 bag record, whose options differ from distribution to distribution."""
    names = [full_name(topic, argument['namespace']) for topic in topics(argument)]
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', prefix='fanet_ros_qos_', delete=False) as file:
        yaml.safe_dump(qos_overrides(names), file)
    command = ['ros2', 'bag', 'record', '--storage', 'mcap', '--qos-profile-overrides-path', file.name]
    if argument['output']:
        command += ['--output', argument['output']]
    limits = given_limits(argument)
    if limits.get('max_bag_duration_s'):
        command += ['--max-bag-duration', str(round(limits['max_bag_duration_s']))]
    if limits.get('max_bag_size_mb'):
        command += ['--max-bag-size', str(limits['max_bag_size_mb'] * 10**6)]
    if argument['use_sim_time'].lower() == 'true':
        command.append('--use-sim-time')
    return [*command, *([] if distribution in ('humble', 'iron') else ['--topics']), *names]


def recorder(context: LaunchContext) -> list[Action]:
    """Start the recorder that was chosen."""
    refuse_unknown(__file__, context.argv, ARGUMENTS)
    argument = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    chosen = topics(argument)
    if argument['recorder'] == 'ros2_bag':
        environment = dict(os.environ)
        choose_dds_profile(environment)         # which the executables of this package do by themselves
        return [ExecuteProcess(cmd=ros2_bag_command(argument, os.environ.get('ROS_DISTRO', '')), env=environment,
                               output='screen')]
    node = Node(
        package='fanet_ros', executable='recorder_node', name='recorder', output='screen',
        namespace=argument['namespace'],
        parameters=[{
            'output': ParameterValue(argument['output'], value_type=str),
            'topics': chosen,
            **given_limits(argument),
            'use_sim_time': argument['use_sim_time'].lower() == 'true',
        }])
    return [node, RegisterEventHandler(OnProcessExit(target_action=node, on_exit=fail_with))]


def fail_with(event: ProcessExited, context: LaunchContext) -> None:
    """Let the launch end as its process did."""
    fail_as(event.process_name, event.returncode, context.is_shutdown)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the recorder."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=recorder),
    ])
