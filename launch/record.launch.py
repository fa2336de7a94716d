"""Record the camera, its masks, overlays and timing into a rosbag2 MCAP bag; Ctrl-C completes it.

    ros2 launch fanet_ros record.launch.py namespace:=front image_topic:=/front/image_raw output:=drive_1

The node computes the overlay only because it is recorded here; `ros2 bag record` of chosen topics is leaner.
"""
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import EnvironmentVariable, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

DDS_PROFILE = PathJoinSubstitution([FindPackageShare('fanet_ros'), 'config', 'fastdds.xml'])
OUTPUTS = (
    'ground_truth:sensor_msgs/msg/Image',
    'segmentation/mask:sensor_msgs/msg/Image',
    'segmentation/overlay:sensor_msgs/msg/Image',
    'segmentation/timing:fanet_ros/msg/FrameTiming',
    '/diagnostics:diagnostic_msgs/msg/DiagnosticArray',
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the recorder, with the DDS profile for images unless one is set."""
    old, new = 'FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE'
    profile = EnvironmentVariable(old, default_value=EnvironmentVariable(new, default_value=DDS_PROFILE))
    return LaunchDescription([
        DeclareLaunchArgument(
            'namespace', default_value='', description='namespace of the segmentation node'),
        DeclareLaunchArgument(
            'image_topic', default_value='image',
            description='camera topic: sensor_msgs/Image, or CompressedImage on such a topic'),
        DeclareLaunchArgument(
            'output', default_value='',
            description='directory of the new bag (empty: rosbag2_ and the date)'),
        DeclareLaunchArgument(
            'use_sim_time', default_value='false',
            description='take the time from /clock: simulators and rosbags'),
        SetEnvironmentVariable(old, profile),
        SetEnvironmentVariable(new, EnvironmentVariable(new, default_value=EnvironmentVariable(old))),
        Node(
            package='fanet_ros', executable='recorder_node', name='recorder', output='screen',
            namespace=LaunchConfiguration('namespace'),
            parameters=[{
                'output': ParameterValue(LaunchConfiguration('output'), value_type=str),
                'topics': [[LaunchConfiguration('image_topic')], *([topic] for topic in OUTPUTS)],
                'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool),
            }]),
    ])
