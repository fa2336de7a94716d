# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start a simulated camera and the segmentation node: a working system on any machine.

    ros2 launch fanet_ros demo.launch.py                        # the synthetic street
    ros2 launch fanet_ros demo.launch.py source:=drive.mp4      # a video, a folder of images, or /dev/video0
    ros2 launch fanet_ros demo.launch.py cameras:=front,left    # several simulated cameras

Every argument of segmentation.launch.py works here too.
"""
import os

from launch.action import Action
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, RegisterEventHandler, Shutdown
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from fanet_ros.launch_arguments import (
    CAMERA_PARAMETERS,
    SEGMENTATION_ARGUMENTS,
    beside,
    camera_topics,
    compressed,
    fail_as,
    flag,
    refuse_unknown,
    uncompressed,
)
from fanet_ros.ros.camera.parameters import CameraSettings
from fanet_ros.ros.common.launch_parameters import given_parameters, node_inputs, parameter_arguments
from fanet_ros.video_device import video_device
from launch import LaunchContext, LaunchDescription

SHARE = FindPackageShare('fanet_ros')


def camera_node(context: LaunchContext) -> list[Node]:
    """Create the camera, or several. Runs at launch, when it is known which arguments were given: only those override the file."""
    refuse_unknown(__file__, context.argv, (*SEGMENTATION_ARGUMENTS, *CAMERA_PARAMETERS, 'camera_params_file'))
    given = given_parameters(context, CameraSettings, CAMERA_PARAMETERS)
    params_file = os.path.expanduser(LaunchConfiguration('camera_params_file').perform(context))
    if not os.path.isfile(params_file):     # launch_ros would start the camera without it
        raise RuntimeError(f'camera_params_file {params_file!r} does not exist: expected the path of a YAML file')
    # The same arguments set the topics of both the cameras and the segmentation node.
    image_topic = LaunchConfiguration('image_topic', default='').perform(context)
    inputs = node_inputs(context)
    cameras = camera_topics(inputs['cameras'], image_topic)
    source = LaunchConfiguration('source').perform(context)
    if len(cameras) > 1 and video_device(source) is not None:
        raise RuntimeError(f'source {source!r} cannot be opened by {len(cameras)} cameras at once: start segmentation.launch.py, '
                           'and for each device: ros2 run fanet_ros camera_node --ros-args -p source:=DEVICE -r __ns:=/CAMERA')
    topics = {f'camera_{name.replace("/", "_")}': topic for name, topic in cameras.items()} or {'camera': image_topic or 'image'}
    if inputs['image_transport']:
        given['transport'] = inputs['image_transport']
    return [Node(
        package='fanet_ros',
        executable='camera_node',
        name=name,
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            params_file,
            {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool), **given,
             **({'seed': number} if number else {})},       # each another street
        ],
        remappings=[('image', topic), ('image/compressed', compressed(topic)),
                    ('camera_info', beside(uncompressed(topic), 'camera_info')),
                    *([('ground_truth', beside(uncompressed(topic), 'ground_truth'))] if cameras else [])],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
    ) for number, (name, topic) in enumerate(topics.items())]


def check(context: LaunchContext) -> list[Action]:
    """Validate the arguments of camera_node() before any process starts, since launch would leave it running."""
    camera_node(context)
    return []


def end_with(event: ProcessExited, context: LaunchContext) -> list[Action]:
    """Shut down when camera or node exits; with exit code 1 if it failed. The others work without the dashboard."""
    executable = getattr(event.action, 'node_executable', event.process_name)
    respawns = flag('respawn', LaunchConfiguration('respawn').perform(context))
    if executable == 'dashboard' or (respawns and executable == 'segmentation_node'):
        return []
    fail_as(event.process_name, event.returncode, context.is_shutdown)
    return [Shutdown(reason=f'{executable} has exited')]


def generate_launch_description() -> LaunchDescription:
    """Include the launch file of the segmentation node, then start the camera with its arguments."""
    return LaunchDescription([
        *parameter_arguments(CameraSettings, CAMERA_PARAMETERS, 'camera_params_file'),
        DeclareLaunchArgument(
            'camera_params_file', default_value=PathJoinSubstitution([SHARE, 'config', 'camera.param.yaml']),
            description='YAML parameter file of the camera'),
        OpaqueFunction(function=check),
        IncludeLaunchDescription(PathJoinSubstitution([SHARE, 'launch', 'segmentation.launch.py'])),
        OpaqueFunction(function=camera_node),
        # Shut down if camera or node exits, so that the error of a failure is the last thing on the terminal.
        RegisterEventHandler(OnProcessExit(on_exit=end_with)),
    ])
