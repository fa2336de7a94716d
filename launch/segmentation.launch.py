# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start the segmentation node: camera image in, masks out.

    ros2 launch fanet_ros segmentation.launch.py image_topic:=/front_camera/image_raw namespace:=front
    ros2 launch fanet_ros segmentation.launch.py cameras:=front=/front/image_raw,left=/left/image_raw

If the node fails, so does the launch.
"""
import os

from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from fanet_ros.launch_arguments import (
    NODE_PARAMETERS,
    SEGMENTATION_ARGUMENTS,
    camera_topics,
    compressed,
    fail_as,
    flag,
    refuse_unknown,
)
from fanet_ros.ros.common.launch_parameters import given_parameters, node_inputs, parameter_arguments
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    'namespace': ('', 'namespace of the node and its topics'),
    'params_file': (PathJoinSubstitution([FindPackageShare('fanet_ros'), 'config', 'segmentation.param.yaml']),
                    'YAML parameter file of the node'),
    'image_topic': ('', 'camera topic to segment (empty: image)'),
    'cameras': ('', 'several cameras instead: NAME or NAME=TOPIC, comma-separated (default TOPIC: NAME/image)'),
    'dashboard': ('false', 'also serve the dashboard at http://localhost:8765'),
    'dashboard_address': ('', ('address the dashboard listens on (default: this machine only); 0.0.0.0: all, read-only, '
                               'via a printed link with a token')),
    'respawn': ('false', 'restart the node whenever it exits'),
    'use_sim_time': ('false', 'use time from /clock (simulators and rosbags)'),
    'log_level': ('info', 'debug, info, warn, error or fatal'),
}


def segmentation_node(context: LaunchContext) -> list[Action]:
    """Create the node. Runs at launch, when it is known which arguments were given: only those override params_file."""
    refuse_unknown(__file__, context.argv, SEGMENTATION_ARGUMENTS)
    given = given_parameters(context, SegmentationSettings, NODE_PARAMETERS)
    params_file = os.path.expanduser(LaunchConfiguration('params_file').perform(context))
    if not os.path.isfile(params_file):     # launch_ros would start the node without it
        raise RuntimeError(f'params_file {params_file!r} does not exist: expected the path of a YAML file')
    image_topic = LaunchConfiguration('image_topic').perform(context)
    cameras = camera_topics(node_inputs(context)['cameras'], image_topic)
    if cameras:
        given['cameras'] = list(cameras)
    topics = {f'{name}/image': topic for name, topic in cameras.items()} or {'image': image_topic or 'image'}
    respawn = flag('respawn', LaunchConfiguration('respawn').perform(context))
    node = Node(
        package='fanet_ros',
        executable='segmentation_node',
        name='segmentation',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            params_file,
            {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool), **given},
        ],
        remappings=[*topics.items(), *((compressed(name), compressed(topic)) for name, topic in topics.items())],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        respawn=respawn, respawn_delay=2.0,
        output='screen',
    )
    ended = [] if respawn else [RegisterEventHandler(OnProcessExit(target_action=node, on_exit=fail_with))]
    return [node, *ended, *dashboard(context, topics)]


def dashboard(context: LaunchContext, topics: dict[str, str]) -> list[Node]:
    """The dashboard node, if enabled. Its exit does not end the launch, because segmentation works without it.

    :param topics: image topic of each camera, by the name that the node uses
    """
    enabled = flag('dashboard', LaunchConfiguration('dashboard').perform(context))
    address = LaunchConfiguration('dashboard_address').perform(context)
    return [] if not enabled else [Node(
        package='fanet_ros',
        executable='dashboard',
        name='dashboard',
        namespace=LaunchConfiguration('namespace'),
        parameters=[{'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
                     **({'address': ParameterValue(address, value_type=str)} if address else {})}],
        remappings=list(topics.items()),
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
    )]


def fail_with(event: ProcessExited, context: LaunchContext) -> None:
    """Fail the launch if the process failed."""
    fail_as(event.process_name, event.returncode, context.is_shutdown)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        *parameter_arguments(SegmentationSettings, NODE_PARAMETERS, 'params_file'),
        OpaqueFunction(function=segmentation_node),
    ])
