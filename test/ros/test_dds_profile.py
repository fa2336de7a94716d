# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The DDS profile as this ROS reads it."""
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


def said_at_the_start(**variables: str) -> bytes:
    bare = {key: value for key, value in os.environ.items() if key not in DDS_PROFILE_VARIABLES}
    return subprocess.run([sys.executable, '-c', NODE], env={**bare, **variables}, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def test_it_is_taken_without_a_word() -> None:
    assert said_at_the_start() == b''


def test_the_name_that_is_set_is_one_that_is_read() -> None:
    assert b'XMLPARSER' in said_at_the_start(**{dds_profile_variable(os.environ): '/none.xml'})
