# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Doctor reports the QoS overrides of outputs that the node would refuse or not use, or that do not fit a subscriber."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from sensor_msgs.msg import Image

from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding
from fanet_ros.ros.doctor.outputs import check_outputs
from fanet_ros.ros.segmentation.camera_input import CameraInput


@pytest.fixture(name='make_node')
def make_node_fixture() -> Iterator[Callable[..., Node]]:
    context, nodes = Context(), []
    rclpy.init(context=context)

    def make(name: str, *arguments: str) -> Node:
        nodes.append(rclpy.create_node(name, context=context, cli_args=['--ros-args', *arguments]))
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture(name='check')
def check_fixture(make_node: Callable[..., Node]) -> Callable[[str], list[Finding]]:
    """The findings for a node with one override."""
    def check(override: str) -> list[Finding]:
        node = make_node('segmentation', '-p', f'qos_overrides./{override}')
        camera = CameraInput(node, '', False, lambda frame: None)
        camera.subscribe()
        return list(check_outputs(node, [camera]))
    return check


@pytest.mark.parametrize('override', [
    'segmentation/mask.publisher.reliability:=relyable', 'segmentation/mask.publisher.depth:=deep',
    'segmentation/mask.publisher.depth:=-1', 'camera_info.subscription.history:=all'])
def test_an_override_that_the_node_would_refuse_is_an_error_that_names_it(check: Callable[..., Any], override: str) -> None:
    found, = check(override)
    name, _, value = override.partition(':=')
    assert found.level == ERROR and f'qos_overrides./{name}' in found.what and value in found.what


def test_a_remapping_that_the_node_would_refuse_is_an_error(make_node: Callable[..., Node]) -> None:
    node = make_node('segmentation', '-r', '~/mask:=/eye/compressed')
    found, = check_outputs(node, [CameraInput(node, '', False, lambda frame: None)])
    assert (found.level, found.remedy) == (ERROR, 'correct the remapping')
    assert '~/mask and ~/mask/compressed are both remapped to /eye/compressed' in found.what


def test_an_override_of_an_unknown_topic_is_a_warning(check: Callable[..., Any]) -> None:
    fine, found = check('segmentation/maks.publisher.depth:=3')
    assert fine == Finding('outputs', OK, 'masks on /segmentation/mask')
    assert found.level == WARN and 'qos_overrides./segmentation/maks.publisher.depth is not used' in found.what


def test_a_subscriber_that_an_override_would_leave_without_masks_is_named(
        check: Callable[..., Any], make_node: Callable[..., Node]) -> None:
    costmap = make_node('costmap')
    costmap.create_subscription(Image, '/segmentation/mask', lambda message: None, 5)
    for reliability, expected in (('reliable', []), ('best_effort', [
            '/costmap would receive nothing on /segmentation/mask: Best effort publisher and reliable subscription'])):
        findings = check(f'segmentation/mask.publisher.reliability:={reliability}')
        assert [found.what for found in findings if found.level == WARN] == expected
