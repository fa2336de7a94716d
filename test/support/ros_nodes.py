# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS nodes in separate DDS domains for tests."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.node import Node


@contextmanager
def node_in_domain(name: str, domain_id: int) -> Iterator[Node]:
    """A node called `name` in its own context."""
    context = Context()
    rclpy.init(context=context, domain_id=domain_id)
    node = rclpy.create_node(name, context=context)
    yield node
    node.destroy_node()
    context.shutdown()
