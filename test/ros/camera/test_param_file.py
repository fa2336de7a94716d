# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""config/camera.param.yaml says what the camera's parameter table says."""
import yaml

from fanet_ros.package_share import share_directory
from fanet_ros.ros.camera.parameters import CAMERA_PARAMETERS


def test_every_parameter_is_in_the_file_with_its_default():
    path = share_directory() / 'config' / 'camera.param.yaml'
    content = yaml.safe_load(path.read_text(encoding='utf-8'))['/**']['ros__parameters']
    table = {spec.name: spec.default for spec in CAMERA_PARAMETERS}
    assert content == table
    assert {name: type(value) for name, value in content.items()} == {
        name: type(value) for name, value in table.items()}
