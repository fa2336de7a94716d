"""Start the segmentation node: camera image in, masks out.

    ros2 launch fanet_ros segmentation.launch.py image_topic:=/front_camera/image_raw namespace:=front
"""
import os

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare('fanet_ros')

# Parameters that can also be given as launch arguments. Left out, the params_file decides.
NODE_PARAMETERS = {
    'autostart': (bool, 'configure and activate at once; false: a lifecycle manager does it'),
    'checkpoint': (str, 'name of a shipped checkpoint, or the path of one'),
    'device': (str, 'auto, cpu, cuda or cuda:N'),
    'input_height': (int, 'height the network runs at [px]; 0: the one of the checkpoint'),
    'input_width': (int, 'width the network runs at [px]; 0: the one of the checkpoint'),
    'image_transport': (str, 'raw: Image; compressed: CompressedImage on <image_topic>/compressed'),
}


def segmentation_node(context: LaunchContext) -> list[Node]:
    """Make the node. Only now is it known which arguments were given: only those override the params_file."""
    given = {
        name: ParameterValue(LaunchConfiguration(name), value_type=value_type)
        for name, (value_type, _) in NODE_PARAMETERS.items() if LaunchConfiguration(name).perform(context)}
    params_file = os.path.expanduser(LaunchConfiguration('params_file').perform(context))
    if not os.path.isfile(params_file):     # launch_ros would start the node without it
        raise RuntimeError(f'params_file {params_file!r} does not exist: expected the path of a YAML file')
    image_topic = LaunchConfiguration('image_topic')
    return [Node(
        package='fanet_ros',
        executable='segmentation_node',
        name='segmentation',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            params_file,
            {'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool), **given},
        ],
        remappings=[('image', image_topic), ('image/compressed', [image_topic, '/compressed'])],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
    )]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    return LaunchDescription([
        DeclareLaunchArgument(
            'namespace', default_value='', description='namespace of the node and its topics'),
        DeclareLaunchArgument(
            'params_file', default_value=PathJoinSubstitution([SHARE, 'config', 'segmentation.param.yaml']),
            description='YAML file with the parameters of the node'),
        DeclareLaunchArgument('image_topic', default_value='image', description='camera topic to segment'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false',
            description='take the time from /clock: simulators and rosbags'),
        DeclareLaunchArgument(
            'log_level', default_value='info', description='debug, info, warn, error or fatal'),
        *(DeclareLaunchArgument(
            name, default_value='', description=f'{description} (empty: as in params_file)')
          for name, (_, description) in NODE_PARAMETERS.items()),
        OpaqueFunction(function=segmentation_node),
    ])
