# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Imports between the layers point one way, and only ros/ imports ROS."""
from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / 'fanet_ros'

# The layers that each layer may import. Modules directly in fanet_ros/ are open to all, and import only each other.
# A subfolder with its own entry may import what that entry lists, in place of its parent's entry.
MAY_IMPORT = {
    '': set(),
    'host': set(),
    'images': set(),
    'model': set(),
    'sources': {'images'},
    'bags': {'images'},
    'inference': {'model', 'images', 'host'},
    'datasets': {'inference', 'model', 'sources', 'bags', 'images'},
    'evaluation': {'datasets', 'inference', 'model', 'images'},
    'visualization': {'inference', 'bags', 'images'},
    'training': {'evaluation', 'datasets', 'inference', 'model'},
    'ros': {'inference', 'sources', 'bags', 'images', 'host'},
    'ros/common': {'images', 'host'},
    'ros/camera': {'ros/common', 'sources', 'images', 'host'},
    'ros/segmentation': {'ros/common', 'inference', 'images', 'host'},
    'ros/bag': {'ros/common', 'bags', 'host'},
    'ros/dashboard': {'ros/common', 'bags', 'images', 'sources', 'host'},
    'ros/doctor': {'ros/common', 'ros/segmentation', 'inference', 'sources', 'bags', 'images', 'host'},
    'ros/benchmark': {'ros/common', 'inference', 'sources', 'images', 'host'},
    'ros/demo': {'ros/common', 'visualization', 'evaluation', 'inference', 'model', 'sources', 'bags', 'images', 'host'},
    'tools': {'training', 'evaluation', 'datasets', 'visualization', 'inference', 'model', 'sources', 'bags', 'images', 'host'},
}
# Third-party packages that the lower layers may import, so that each can be used and read without the layers above it.
OUTSIDE = {
    '': set(),
    'host': {'psutil', 'torch'},
    'images': {'numpy', 'cv2', 'simplejpeg', 'PIL'},
    'model': {'torch', 'safetensors'},
    'sources': {'numpy', 'cv2'},
    'bags': {'numpy', 'rosbags', 'backports', 'yaml', 'fsspec'},
    'inference': {'torch', 'numpy', 'psutil', 'cv2', 'PIL', 'yaml', 'onnx', 'onnxruntime', 'openvino', 'ncnn', 'pnnx', 'triton'},
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


def layer_of(parts: tuple[str, ...]) -> str:
    """The layer of a module: the deepest folder with its own entry; parts: folders relative to fanet_ros/."""
    return next('/'.join(parts[:depth]) for depth in (2, 1, 0) if '/'.join(parts[:depth]) in MAY_IMPORT)


def violations(path: Path, text: str) -> list[str]:
    """Return a sentence for each forbidden import; `path`: relative to fanet_ros/."""
    layer = layer_of(path.parts[:-1])
    package = '.'.join(('fanet_ros', *path.parts[:-1]))
    found = []
    for name in imported_modules(ast.parse(text), package):
        top, _, rest = name.partition('.')
        if top == 'fanet_ros':
            target = layer_of(tuple(rest.split('.')))
            if rest.split('.')[0] in ('msg', 'srv', 'action'):
                if layer.split('/')[0] != 'ros':
                    found.append(f'{path}: {name} is a ROS interface, only ros/ imports those')
            elif target not in ('', layer) and target not in MAY_IMPORT[layer] and not may_see_into(layer, target):
                found.append(f'{path}: {layer or "fanet_ros"} must not import {name}')
        elif ROS_PACKAGE.match(top):
            if layer.split('/')[0] != 'ros':
                found.append(f'{path}: {name} is ROS, only ros/ imports that')
        elif layer in OUTSIDE and top not in sys.stdlib_module_names and top not in OUTSIDE[layer]:
            found.append(f'{path}: {layer or "fanet_ros"} must not import {name}')
    return found


def may_see_into(layer: str, target: str) -> bool:
    """Modules directly in ros/ stand above its folders."""
    return layer == 'ros' and target.startswith('ros/')


def test_every_folder_is_a_known_layer():
    layers = {path.name for path in SOURCES.iterdir() if path.is_dir() and any(path.glob('*.py'))}
    layers |= {f'ros/{path.name}' for path in (SOURCES / 'ros').iterdir() if path.is_dir() and any(path.glob('*.py'))}
    assert layers == set(MAY_IMPORT) - {''}


def test_the_layers_have_no_cycle():
    order = []
    while len(order) < len(MAY_IMPORT):
        free = [layer for layer, below in MAY_IMPORT.items() if layer not in order and below <= set(order)]
        assert free, sorted(set(MAY_IMPORT) - set(order))
        order += free


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
    ('sources/street/a.py', 'from fanet_ros.bags import reader'),
    ('images/a.py', 'import rosbags'),
    ('bags/a.py', 'from fanet_ros.sources import open_source'),
    ('inference/a.py', 'def later():\n    import rclpy'),
    ('inference/engines/a.py', 'from fanet_ros.evaluation import metrics'),
    ('datasets/a.py', 'from fanet_ros.evaluation import metrics'),
    ('evaluation/a.py', 'from fanet_ros.training.config import TrainingConfig'),
    ('training/a.py', 'from fanet_ros.tools.train import command'),
    ('tools/train/a.py', 'from sensor_msgs.msg import Image'),
    ('tools/a.py', 'from fanet_ros.msg import FrameTiming'),
    ('tools/a.py', 'from fanet_ros.ros.camera import camera_node'),
    ('ros/demo/a.py', 'from fanet_ros.tools.tune import command'),
    ('ros/camera/a.py', 'from fanet_ros.ros.segmentation import parameters'),
    ('ros/common/a.py', 'from fanet_ros.ros.camera import parameters'),
    ('ros/segmentation/a.py', 'from fanet_ros.training import config'),
    ('package_share.py', 'from ament_index_python import get_package_share_directory'),
])
def test_a_wrong_import_is_found(path, text):
    assert len(violations(Path(path), text)) == 1


@pytest.mark.parametrize(('path', 'text'), [
    ('model/a.py', 'import torch\nfrom fanet_ros.model.fanet import FANet\nfrom . import fanet'),
    ('ros/camera/a.py', 'import rclpy\nfrom fanet_ros.msg import FrameTiming\nfrom fanet_ros.sources import Frame'),
    ('ros/a.py', 'from fanet_ros.ros.camera.parameters import CameraSettings'),
    ('tools/pack/a.py', 'import rosbags\nfrom fanet_ros.package_share import share_directory'),
])
def test_a_right_import_passes(path, text):
    assert violations(Path(path), text) == []
