# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Nodes start without importing what they can do without, such as PyTorch, which takes longer than all else."""
import subprocess
import sys

import pytest

NOT_NEEDED = {'torch', 'onnx', 'onnxruntime', 'openvino', 'ncnn', 'pnnx', 'safetensors', 'matplotlib', 'scipy'}


@pytest.mark.parametrize('module', ['segmentation.segmentation_node', 'camera.camera_node', 'bag.recorder_node', 'bag.player_node'])
def test_module_does_not_import_inference_libraries(module: str) -> None:
    code = f'import sys, fanet_ros.ros.{module}; print(*sys.modules)'
    modules = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True).stdout.split()
    assert 'rclpy' in modules
    assert not NOT_NEEDED & set(modules)
