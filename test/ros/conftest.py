# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS nodes in this process, in a context of their own."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter


@pytest.fixture(name='context')
def context_fixture() -> Iterator[Context]:
    context = Context()
    rclpy.init(context=context)
    yield context
    rclpy.try_shutdown(context=context)


@pytest.fixture(name='make_node')
def make_node_fixture(context: Context) -> Iterator[Callable[..., Node]]:
    """Creates a node: make_node('segmentation', '-r', 'image:=eye', namespace='robot', parameters={'lazy': False})."""
    nodes: list[Node] = []

    def make(name: str, *arguments: str, parameters: dict[str, Any] | None = None, **more: Any) -> Node:
        overrides = [Parameter(key, value=value) for key, value in (parameters or {}).items()]
        nodes.append(rclpy.create_node(name, **{'context': context, **more}, cli_args=['--ros-args', *arguments],
                                       parameter_overrides=overrides))
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
