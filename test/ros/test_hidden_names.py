# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""No node hides a name of rclpy's own: `self._clock`, say, which is rclpy's too, breaks what rclpy does with it much later."""
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
# What a node is asked to define.
MEANT = {'set_parameters_atomically', 'on_configure', 'on_activate', 'on_deactivate', 'on_cleanup', 'on_shutdown', 'on_error'}


def node_classes() -> list[type]:
    names = {item.name for item in pkgutil.walk_packages(fanet_ros.ros.__path__, 'fanet_ros.ros.')} - {FOR_LAUNCH_FILES}
    modules = [importlib.import_module(name) for name in sorted(names)]
    found = {item for module in modules for item in vars(module).values()
             if inspect.isclass(item) and issubclass(item, Node) and item.__module__.startswith('fanet_ros')}
    return sorted(found, key=lambda item: item.__name__)


def own_names(node_class: type) -> set[str]:
    """What a class and the package's own ones that it is made of define, and assign to self anywhere."""
    names = set()
    for item in node_class.__mro__:
        if item.__module__.startswith('fanet_ros'):
            assigned = {part.attr for part in ast.walk(ast.parse(inspect.getsource(item)))
                        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
                        and isinstance(part.value, ast.Name) and part.value.id == 'self'}
            names |= assigned | {name for name in vars(item) if not name.startswith('__')}
    return names


@pytest.mark.parametrize('node_class', node_classes(), ids=lambda item: item.__name__)
def test_no_name_of_rclpy_is_hidden(node_class: type) -> None:
    context = Context()
    rclpy.init(context=context)
    base = LifecycleNode if issubclass(node_class, LifecycleNode) else Node
    theirs = set(dir(base('names', context=context)))
    rclpy.shutdown(context=context)
    assert {'_clock', '_parameters', 'create_timer'} <= theirs
    assert own_names(node_class) & theirs - MEANT == set()


def test_all_nodes_were_looked_at() -> None:
    assert {'SegmentationNode', 'CameraNode', 'PlayerNode', 'RecorderNode'} <= {item.__name__ for item in node_classes()}
