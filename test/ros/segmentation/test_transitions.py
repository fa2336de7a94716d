# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node reports during a transition."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray

from fanet_ros.ros.segmentation.diagnostics_publisher import DiagnosticsPublisher
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.ros.segmentation.segmentation_node import SegmentationNode


@pytest.fixture(name='node')
def node_fixture(settings: SegmentationSettings) -> Iterator[SegmentationNode]:
    rclpy.init(args=['--ros-args', '-p', f'checkpoint:={settings.checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch'])
    node = SegmentationNode()
    node.start()
    yield node
    node.close()
    node.destroy_node()
    rclpy.shutdown()


@pytest.mark.parametrize(('transition', 'state'), [('shutdown', 'finalized'), ('cleanup', 'unconfigured')])
def test_it_does_not_miss_images_while_it_waits_for_a_build_to_unload_the_model(
        node: SegmentationNode, monkeypatch: pytest.MonkeyPatch, transition: str, state: str) -> None:
    published: list[DiagnosticArray] = []
    monkeypatch.setattr(node._diagnostics._publisher, 'publish', published.append)
    unload = ModelSwitch.unload

    def slowly_unload(switch: ModelSwitch) -> None:
        DiagnosticsPublisher._publish(node._diagnostics)       # as its timer does when the wait is long
        unload(switch)

    monkeypatch.setattr(ModelSwitch, 'unload', slowly_unload)
    if transition == 'cleanup':
        node.trigger_deactivate()
    getattr(node, f'trigger_{transition}')()
    assert [status.message for status in published[0].status] == [state]
