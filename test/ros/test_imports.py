# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes that run no network start without importing PyTorch."""
import subprocess
import sys

import pytest


@pytest.mark.parametrize('module', ['camera.camera_node', 'bag.recorder_node', 'bag.player_node'])
def test_module_does_not_import_torch(module: str) -> None:
    code = f'import sys, fanet_ros.ros.{module}; sys.exit("torch" in sys.modules)'
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
