# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play a bag; with segment:=true, play only its camera and segment the images again, on the bag's clock.

    ros2 launch fanet_ros replay.launch.py bag:=drive_1
    ros2 launch fanet_ros replay.launch.py bag:=drive_1 segment:=true image_topic:=/camera/image_raw device:=cpu
    ros2 launch fanet_ros replay.launch.py bag:=drive_1 segment:=true cameras:=front,left namespace:=robot

Every argument of segmentation.launch.py works here too. The launch exits at the end of the bag.
"""
import os

from ament_index_python.packages import get_packages_with_prefixes
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from fanet_ros.launch_arguments import (
    SEGMENTATION_ARGUMENTS,
    camera_topics,
    compressed,
    fail_as,
    in_namespace,
    number,
    refuse_unknown,
    refuse_without_effect,
    require_rosbag2,
)
from fanet_ros.ros.common.launch_parameters import node_inputs
from launch import LaunchContext, LaunchDescription

ARGUMENTS = {
    'bag': (None, 'directory of the bag'),
    'segment': ('false', 'true: play only the camera, on image_topic, and start the segmentation node'),
    'rate': ('', 'playback speed relative to the recording (default 1)'),
    'loop': ('false', 'restart at the end'),
    'player': ('fanet_ros', 'fanet_ros: player_node of this package; rosbag2: ros2 bag play'),
}


def image_topics(argument: dict[str, str]) -> list[str]:
    """Topics to play: those of the cameras when segmenting; an empty list means all."""
    if argument['segment'] != 'true':
        return []
    topics = camera_topics(argument['cameras'], argument['image_topic']).values() or [argument['image_topic'] or 'image']
    full = [in_namespace(topic, argument['namespace']) for topic in topics]
    return [*map(compressed, full)] if argument['image_transport'] == 'compressed' else full


def mask_topics(argument: dict[str, str]) -> list[str]:
    """Mask topics of the segmentation node when segmenting; the player waits for the node and counts its masks."""
    if argument['segment'] != 'true':
        return []
    cameras = camera_topics(argument['cameras'], argument['image_topic'])
    return [in_namespace(f'segmentation/{name}', argument['namespace'])
            for name in ([f'{camera}/mask' for camera in cameras] or ['mask'])]


def rosbag2_command(argument: dict[str, str]) -> list[str]:
    """The command line of ros2 bag play."""
    topics = image_topics(argument)
    bag = os.path.expanduser(argument['bag'])
    return ['ros2', 'bag', 'play', bag, '--clock', *(['--rate', argument['rate']] if argument['rate'] else []),
            *(['--loop'] if argument['loop'] == 'true' else []), *(['--topics', *topics] if topics else [])]


def player(context: LaunchContext) -> list[Action]:
    """Start the chosen player, and the segmentation node if segment is true."""
    refuse_unknown(__file__, context.argv, (*ARGUMENTS, *SEGMENTATION_ARGUMENTS))
    argument = {name: LaunchConfiguration(name, default='').perform(context)
                for name in (*ARGUMENTS, 'namespace', 'image_topic')}
    argument.update(node_inputs(context))
    log_level = LaunchConfiguration('log_level', default='info')
    for name, choices in (('segment', ('true', 'false')), ('loop', ('true', 'false')),
                          ('player', ('fanet_ros', 'rosbag2'))):
        if argument[name] not in choices:
            raise ValueError(f'{name} is {argument[name]!r}: expected one of {", ".join(choices)}')
    if argument['segment'] != 'true':
        refuse_without_effect(__file__, context.argv, {*SEGMENTATION_ARGUMENTS} - {'log_level'},
                              'it is for the segmentation node, which segment:=true starts')
    if argument['player'] == 'rosbag2':
        require_rosbag2('player', get_packages_with_prefixes())
        process: ExecuteProcess = ExecuteProcess(cmd=rosbag2_command(argument), output='screen')
    else:
        process = Node(
            package='fanet_ros', executable='player_node', name='player', output='screen',
            ros_arguments=['--log-level', log_level],       # no use_sim_time: it publishes /clock
            parameters=[{'bag': argument['bag'], **({'rate': number('rate', argument['rate'], float)} if argument['rate'] else {}),
                         'loop': argument['loop'] == 'true', 'topics': ','.join(image_topics(argument)),
                         'masks': ','.join(mask_topics(argument))}])
    end = RegisterEventHandler(OnProcessExit(target_action=process, on_exit=end_with))
    if argument['segment'] != 'true':
        return [end, process]
    segmentation = IncludeLaunchDescription(
        PathJoinSubstitution([FindPackageShare('fanet_ros'), 'launch', 'segmentation.launch.py']),
        launch_arguments={'use_sim_time': 'true'}.items())
    return [segmentation, end, process]


def end_with(event: ProcessExited, context: LaunchContext) -> list[Action]:
    """Shut down at the end of the bag; with exit code 1 if it could not be played."""
    fail_as(event.process_name, event.returncode, context.is_shutdown)
    return [Shutdown(reason='the bag has ended')]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the player."""
    return LaunchDescription([
        *(DeclareLaunchArgument(name, default_value=default, description=description)
          for name, (default, description) in ARGUMENTS.items()),
        OpaqueFunction(function=player),
    ])
