# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is said about a measurement holds no folder of the machine."""
import torch

from fanet_ros.host.machine import describe_measurement


def test_the_command_names_files_without_their_folders() -> None:
    content = describe_measurement('benchmark', ['--output', '/home/someone/out', '--prefix', 'nice -n 1'],
                                   torch.device('cpu'), ('numpy',))
    assert content['command'] == "ros2 run fanet_ros benchmark --output out --prefix 'nice -n 1'"
    assert content['machine']['versions']['numpy']
