# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""QoS overrides accept topic names before or after remapping, and unused ones are reported."""
from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Image

from fanet_ros.ros.common.qos_choice import chosen_reliability, image_qos
from fanet_ros.ros.common.qos_overrides import follow_remapping, unused_overrides
from fanet_ros.ros.segmentation.camera_input import OVERRIDABLE, CameraInput
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs


@pytest.fixture(name='make_node')
def make_node_fixture() -> Iterator[Callable[..., Node]]:
    context, nodes = Context(), []
    rclpy.init(context=context)

    def make(*parameters: str, rules: tuple[str, ...] = ('image:=/camera/image_raw',)) -> Node:
        arguments = ['--ros-args', *(item for text in rules for item in ('-r', text)),
                     *(item for text in parameters for item in ('-p', text))]
        nodes.append(rclpy.create_node('segmentation', context=context, cli_args=arguments))
        follow_remapping(nodes[-1])
        return nodes[-1]
    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.parametrize('topic', ['/image', '/camera/image_raw'])
def test_names_before_and_after_remapping_are_accepted(make_node: Callable[..., Node], topic: str) -> None:
    node = make_node(f'qos_overrides.{topic}.subscription.reliability:=best_effort', f'qos_overrides.{topic}.subscription.depth:=3',
                     f'qos_overrides.{topic}.subscription.durability:=volatile', 'qos_overrides./imgae.subscription.depth:=3')
    reliability = chosen_reliability(node, node.resolve_topic_name('image'))
    assert reliability == ReliabilityPolicy.BEST_EFFORT
    node.create_subscription(Image, 'image', lambda message: None, image_qos(reliability), qos_overriding_options=OVERRIDABLE)
    info, = node.get_subscriptions_info_by_topic('/camera/image_raw')
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    assert node.get_parameter('qos_overrides./camera/image_raw.subscription.depth').value == 3
    lines = ' '.join(unused_overrides(node))
    assert lines.count(' is not used') == 2
    assert 'qos_overrides./imgae.subscription.depth is not used' in lines and 'durability is not used' in lines


def test_the_name_before_remapping_is_accepted_for_compressed_images(make_node: Callable[..., Node]) -> None:
    node = make_node('qos_overrides./image/compressed.subscription.reliability:=best_effort')
    camera = CameraInput(node, '', True, lambda frame: None)
    assert camera.topic == '/camera/image_raw/compressed'
    assert chosen_reliability(node, camera.topic) == ReliabilityPolicy.BEST_EFFORT and not unused_overrides(node)


def test_override_applies_to_its_topic_only(make_node: Callable[..., Node]) -> None:
    node = make_node('qos_overrides./segmentation/mask.publisher.reliability:=best_effort',
                     'qos_overrides./camera_info.subscription.reliability:=reliable')
    outputs = FrameOutputs(node), FrameOutputs(node, 'left', 'left/camera_info')
    for topic, reliability in (('mask', ReliabilityPolicy.BEST_EFFORT), ('overlay', ReliabilityPolicy.RELIABLE),
                               ('left/mask', ReliabilityPolicy.RELIABLE)):
        info, = node.get_publishers_info_by_topic(f'/segmentation/{topic}')
        assert info.qos_profile.reliability == reliability, topic
    for topic, reliability in (('camera_info', ReliabilityPolicy.RELIABLE), ('left/camera_info', ReliabilityPolicy.BEST_EFFORT)):
        info, = node.get_subscriptions_info_by_topic(f'/{topic}')
        assert info.qos_profile.reliability == reliability, topic
    for item in outputs:
        item.destroy()


def test_name_after_remapping_takes_precedence(make_node: Callable[..., Node]) -> None:
    node = make_node('qos_overrides./image.subscription.reliability:=best_effort',
                     'qos_overrides./camera/image_raw.subscription.reliability:=reliable')
    assert chosen_reliability(node, '/camera/image_raw') == ReliabilityPolicy.RELIABLE


def test_a_refused_output_leaves_no_topic_behind(make_node: Callable[..., Node]) -> None:
    node = make_node('qos_overrides./segmentation/timing.publisher.reliability:=relaible')
    before = len(list(node.publishers)), len(list(node.subscriptions))
    with pytest.raises(ValueError, match="timing.publisher.reliability is 'relaible'"):
        FrameOutputs(node)
    assert (len(list(node.publishers)), len(list(node.subscriptions))) == before


@pytest.mark.parametrize('name', ['/segmentation/mask/compressed', '/costmap/mask/compressed'])
def test_compressed_outputs_follow_a_remapping_and_keep_their_overrides(make_node: Callable[..., Node], name: str) -> None:
    node = make_node(f'qos_overrides.{name}.publisher.reliability:=best_effort',
                     rules=('~/mask:=/costmap/mask', '~/overlay:=/view', '~/overlay/compressed:=/view_jpeg'))
    outputs = FrameOutputs(node)
    topics = {publisher.topic_name for publisher in node.publishers}
    assert {'/costmap/mask', '/costmap/mask/compressed', '/view', '/view_jpeg', '/segmentation/confidence/compressed'} <= topics
    assert not topics & {'/segmentation/mask/compressed', '/view/compressed', '/segmentation/overlay/compressed'}
    info, = node.get_publishers_info_by_topic('/costmap/mask/compressed')
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT and not unused_overrides(node)
    outputs.destroy()
