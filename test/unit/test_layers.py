# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports between the layers point one way, and ROS stays in its own."""
from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / 'fanet_ros'

# What each layer may import of the others. Modules directly in fanet_ros/ are open to all, import no layer.
MAY_IMPORT = {
    '': set(),
    'model': set(),
    'sources': set(),
    'inference': {'model'},
    'ros': {'inference', 'sources'},
    'training': {'model', 'inference', 'sources'},
    'tools': {'model', 'inference', 'sources', 'training'},
}
# What the lower layers may import from outside, so that each can be used and read without what lies above it.
OUTSIDE = {
    '': set(),
    'model': {'torch', 'safetensors'},
    'sources': {'numpy', 'cv2', 'rosbags', 'backports', 'simplejpeg'},
    'inference': {'torch', 'numpy', 'psutil', 'cv2', 'yaml', 'onnx', 'onnxruntime', 'openvino', 'ncnn', 'pnnx', 'triton'},
}
ROS_PACKAGE = re.compile(
    r'^(rclpy|rcl_interfaces|cv_bridge|launch|launch_ros|ament_\w+|diagnostic_updater|message_filters|'
    r'rosidl_\w+|\w+_msgs|builtin_interfaces|std_srvs)$')


def imported_modules(tree: ast.AST, package: str) -> list[str]:
    """Return the dotted name of everything imported anywhere in the tree, also inside functions.

    Relative imports are resolved. `from package import name` yields `package.name`: name may be a module.
    """
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                parents = package.split('.')[:len(package.split('.')) - node.level + 1]
                base = '.'.join(parents + ([base] if base else []))
            names += [f'{base}.{alias.name}' for alias in node.names]
    return names


def violations(path: Path, text: str) -> list[str]:
    """Return a sentence for each import that the layers forbid; `path`: relative to fanet_ros/."""
    layer = path.parts[0] if len(path.parts) > 1 else ''
    package = '.'.join(('fanet_ros', *path.parts[:-1]))
    found = []
    for name in imported_modules(ast.parse(text), package):
        top, _, rest = name.partition('.')
        if top == 'fanet_ros':
            target = rest.split('.')[0]
            if target in ('msg', 'srv', 'action'):
                if layer != 'ros':
                    found.append(f'{path}: {name} is a ROS interface, only ros/ imports those')
            elif target in MAY_IMPORT and target not in ('', layer) and target not in MAY_IMPORT[layer]:
                found.append(f'{path}: layer {layer or "fanet_ros"} must not import {name}')
        elif ROS_PACKAGE.match(top):
            if layer != 'ros':
                found.append(f'{path}: {name} is ROS, only ros/ imports that')
        elif layer in OUTSIDE and top not in sys.stdlib_module_names and top not in OUTSIDE[layer]:
            found.append(f'{path}: layer {layer or "fanet_ros"} must not import {name}')
    return found


def test_every_folder_is_a_known_layer():
    layers = {path.name for path in SOURCES.iterdir() if path.is_dir() and any(path.glob('*.py'))}
    assert layers <= set(MAY_IMPORT)


def test_imports_point_one_way():
    paths = sorted(SOURCES.rglob('*.py'))
    assert paths
    found = [line for path in paths
             for line in violations(path.relative_to(SOURCES), path.read_text(encoding='utf-8'))]
    assert not found, '\n'.join(found)


@pytest.mark.parametrize(('path', 'text'), [
    ('model/a.py', 'from fanet_ros.inference import Segmenter'),
    ('model/a.py', 'from ..inference import Segmenter'),
    ('model/a.py', 'from .. import inference'),
    ('model/a.py', 'import numpy'),
    ('sources/a.py', 'from fanet_ros.model import FANet'),
    ('inference/a.py', 'def later():\n    import rclpy'),
    ('training/a.py', 'from fanet_ros.tools import train'),
    ('tools/a.py', 'from sensor_msgs.msg import Image'),
    ('tools/a.py', 'from fanet_ros.msg import FrameTiming'),
    ('tools/a.py', 'from fanet_ros.ros import camera_node'),
    ('ros/a.py', 'from fanet_ros.tools import demo'),
    ('package_share.py', 'from ament_index_python import get_package_share_directory'),
])
def test_a_wrong_import_is_found(path, text):
    assert len(violations(Path(path), text)) == 1


@pytest.mark.parametrize(('path', 'text'), [
    ('model/a.py', 'import torch\nfrom fanet_ros.model.fanet import FANet\nfrom . import fanet'),
    ('ros/a.py', 'import rclpy\nfrom fanet_ros.msg import FrameTiming\nfrom fanet_ros.sources import Frame'),
    ('tools/a.py', 'import rosbags\nfrom fanet_ros.package_share import share_directory'),
])
def test_a_right_import_passes(path, text):
    assert violations(Path(path), text) == []
