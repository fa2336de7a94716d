# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters set on a running node: all changes of a request are applied, or none."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.segmentation.camera_input import CameraInput
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs
from fanet_ros.ros.segmentation.latency_control import LatencyControl
from fanet_ros.ros.segmentation.live_settings import LiveSettings
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


class NodeWithParameters(FittedParameters, Node):
    """The parameters of the segmentation node, one camera and its outputs, but no frames."""

    parameter_specs = SegmentationSettings.specs()

    def __init__(self, settings: SegmentationSettings, switch: ModelSwitch, context: Context) -> None:
        given = {'checkpoint': settings.checkpoint, 'device': settings.device, 'engine': settings.engine}
        super().__init__('segmentation', context=context,
                         parameter_overrides=[Parameter(name, value=value) for name, value in given.items()])
        declared = SegmentationSettings.declare(self)
        self.camera, self.outputs = CameraInput(self, '', False, lambda _: None), FrameOutputs(self)
        self.latency = LatencyControl(switch, lambda _: None)
        self.live = LiveSettings(self, declared, switch, self.latency, {'': self.camera}, {'': self.outputs})

    def warning_about(self, changed: list[str]) -> str:
        return self.live.warning_about(changed)

    def request(self, **values: object) -> str:
        """Set parameters together; returns 'applied' or why they were refused."""
        result = self.set_parameters_atomically([Parameter(name, value=value) for name, value in values.items()])
        return 'applied' if result.successful else result.reason


@pytest.fixture(name='node')
def node_fixture(settings: SegmentationSettings, switch: ModelSwitch) -> Iterator[NodeWithParameters]:
    context = Context()
    rclpy.init(context=context)
    node = NodeWithParameters(settings, switch, context)
    yield node
    node.destroy_node()
    context.shutdown()


def test_settings_model_and_rates_follow_the_parameters(node: NodeWithParameters, switch: ModelSwitch) -> None:
    before = switch.loaded.segmenter
    assert node.request(overlay_alpha=0.25, max_rate_hz=5.0, overlay_max_rate_hz=2.0) == 'applied'
    assert switch.loaded.segmenter is before and switch.loaded.settings.overlay_alpha == 0.25
    assert (node.live.current.max_rate_hz, node.camera.rate_limit.max_hz) == (5.0, 5.0)
    assert node.outputs.overlay_rate_limit.max_hz == 2.0
    assert node.request(input_scale=0.5) == 'applied'
    assert switch.loaded.segmenter is not before and node.live.current.input_scale == 0.5


def test_a_budget_reaches_the_latency_control(node: NodeWithParameters) -> None:
    assert node.latency.values() == {}
    assert node.request(latency_budget_ms=40.0) == 'applied'
    assert node.latency.values()['latency budget [ms]'] == '40'


def test_a_refusal_changes_nothing(node: NodeWithParameters, switch: ModelSwitch) -> None:
    before, model = node.live.current, switch.loaded
    assert 'nothing.safetensors' in node.request(max_rate_hz=5.0, checkpoint='/nothing.safetensors')
    assert node.live.current is before and switch.loaded is model
    assert node.camera.rate_limit.max_hz == before.max_rate_hz
    assert node.get_parameter('max_rate_hz').value == before.max_rate_hz


def test_a_warning_is_about_a_changed_precision_only(node: NodeWithParameters, switch: ModelSwitch) -> None:
    assert node.live.warning_about(['overlay_alpha']) == ''
    switch.unload()
    assert node.live.warning_about(['precision']) == ''
