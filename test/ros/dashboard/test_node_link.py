# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dashboard's link to a node that is replaced without notice, over real ROS services."""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from waiting import DEADLINE_S, wait_for

from fanet_ros.ros.dashboard import node_link
from fanet_ros.ros.dashboard.node_link import NodeError, NodeLink


@pytest.fixture(name='make_node')
def make_node_fixture() -> Iterator[Callable[..., Node]]:
    """Creates a node in a participant of its own, with these parameters."""
    nodes: list[Node] = []

    def make(name: str, **parameters: list[str]) -> Node:
        context = Context()
        rclpy.init(context=context)
        nodes.append(rclpy.create_node(name, context=context, automatically_declare_parameters_from_overrides=True,
                                       parameter_overrides=[Parameter(key, value=value) for key, value in parameters.items()]))
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
        rclpy.try_shutdown(context=node.context)


def test_a_lost_answer_is_asked_for_again(make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_link, 'ANSWER_S', 0.5)
    dashboard = make_node('dashboard')
    link = NodeLink(dashboard, '/target')
    executors = [SingleThreadedExecutor(context=dashboard.context)]
    executors[0].add_node(dashboard)

    def spin() -> None:
        for executor in executors:
            executor.spin_once(timeout_sec=0.02)

    def polled() -> bool:
        link.poll()
        return link.is_present

    first = make_node('target', cameras=['front'])      # never spins: it takes the request with it
    wait_for(polled, spin)
    second = make_node('target', cameras=['left', 'right'])
    wait_for(lambda: dashboard.get_node_names().count('target') == 2, spin)
    first.destroy_node()
    wait_for(lambda: dashboard.get_node_names().count('target') == 1, spin)
    executors.append(SingleThreadedExecutor(context=second.context))
    executors[1].add_node(second)
    wait_for(lambda: polled() and link.cameras == ('left', 'right'), spin)


def test_a_node_that_restarts_at_once_is_not_waited_for(make_node: Callable[..., Node], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_link, 'ANSWER_S', DEADLINE_S)
    dashboard, first = make_node('dashboard'), make_node('target')
    link = NodeLink(dashboard, '/target')

    def wait_for_targets(count: int) -> None:
        wait_for(lambda: len(link._running()) == count and link._list.service_is_ready())

    async def change() -> None:
        asked = asyncio.create_task(link.parameters())
        await asyncio.sleep(0)              # the first one, which never spins, has the request
        make_node('target')
        wait_for_targets(2)
        first.destroy_node()
        await asked

    wait_for_targets(1)
    with pytest.raises(NodeError, match='/target has ended without an answer'):
        asyncio.run(change())
