# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""No node shadows an attribute of rclpy's base class: overwriting `self._clock`, for example, breaks rclpy much later."""
from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil

import pytest
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node

import fanet_ros.ros

FOR_LAUNCH_FILES = 'fanet_ros.ros.common.launch_parameters'      # imports launch, which may be missing
# Methods that a node overrides on purpose.
INTENDED = {'set_parameters_atomically', 'on_configure', 'on_activate', 'on_deactivate', 'on_cleanup', 'on_shutdown', 'on_error'}


def node_classes() -> list[type]:
    names = {item.name for item in pkgutil.walk_packages(fanet_ros.ros.__path__, 'fanet_ros.ros.')} - {FOR_LAUNCH_FILES}
    modules = [importlib.import_module(name) for name in sorted(names)]
    found = {item for module in modules for item in vars(module).values()
             if inspect.isclass(item) and issubclass(item, Node) and item.__module__.startswith('fanet_ros')}
    return sorted(found, key=lambda item: item.__name__)


def own_names(node_class: type) -> set[str]:
    """Names that a class and its bases in this package define or assign to self."""
    names = set()
    for item in node_class.__mro__:
        if item.__module__.startswith('fanet_ros'):
            assigned = {part.attr for part in ast.walk(ast.parse(inspect.getsource(item)))
                        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
                        and isinstance(part.value, ast.Name) and part.value.id == 'self'}
            names |= assigned | {name for name in vars(item) if not name.startswith('__')}
    return names


@pytest.mark.parametrize('node_class', node_classes(), ids=lambda item: item.__name__)
def test_node_shadows_no_name_of_rclpy(node_class: type) -> None:
    context = Context()
    rclpy.init(context=context)
    base = LifecycleNode if issubclass(node_class, LifecycleNode) else Node
    rclpy_names = set(dir(base('names', context=context)))
    rclpy.shutdown(context=context)
    assert {'_clock', '_parameters', 'create_timer'} <= rclpy_names
    assert own_names(node_class) & rclpy_names - INTENDED == set()


def test_all_nodes_are_checked() -> None:
    assert {'SegmentationNode', 'CameraNode', 'PlayerNode', 'RecorderNode'} <= {item.__name__ for item in node_classes()}
