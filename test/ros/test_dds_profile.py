# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The installed ROS accepts the DDS profile."""
import os
import subprocess
import sys

from fanet_ros.host.dds_profile import DDS_PROFILE_VARIABLES, dds_profile_variable

NODE = '''
from fanet_ros.host.process_tuning import tune_process
tune_process()
import rclpy
rclpy.init()
rclpy.create_node('tuned')
'''


def startup_output(**variables: str) -> bytes:
    bare = {key: value for key, value in os.environ.items() if key not in DDS_PROFILE_VARIABLES}
    return subprocess.run([sys.executable, '-c', NODE], env={**bare, **variables}, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def test_profile_loads_without_output() -> None:
    assert startup_output() == b''


def test_profile_variable_is_read_by_the_middleware() -> None:
    assert b'XMLPARSER' in startup_output(**{dds_profile_variable(os.environ): '/none.xml'})
