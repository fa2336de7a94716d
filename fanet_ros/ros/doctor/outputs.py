# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Output checks of doctor: QoS overrides that the node would refuse, ignore, or that keep its outputs from subscribers."""
from __future__ import annotations

from typing import Iterator, Sequence

from rclpy.exceptions import ParameterException
from rclpy.node import Node

from fanet_ros.error_text import error_text
from fanet_ros.ros.common.qos_overrides import unused_overrides
from fanet_ros.ros.common.silence import full_name, incompatibility, own_qos
from fanet_ros.ros.common.transport_topic import RemappingError
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding
from fanet_ros.ros.segmentation.camera_info import camera_info_topic
from fanet_ros.ros.segmentation.camera_input import CameraInput
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs

REMEDY = 'correct qos_overrides: see Quality of service in docs/settings.md'


def check_outputs(node: Node, cameras: Sequence[CameraInput]) -> Iterator[Finding]:
    """Create the publishers of the segmentation node for a moment.

    :param cameras: subscribed, so that their overrides count as used
    """
    created = []
    try:
        for camera in cameras:
            created.append(FrameOutputs(node, camera.name, camera_info_topic(node, camera.topic, camera.name)))
        yield Finding('outputs', OK, f'masks on {", ".join(outputs.mask_topic for outputs in created)}')
        yield from (Finding('outputs', WARN, line, REMEDY) for line in (*_mismatches(node), *unused_overrides(node)))
    except RemappingError as error:
        yield Finding('outputs', ERROR, str(error), 'correct the remapping')
    except (ValueError, ParameterException) as error:
        yield Finding('outputs', ERROR, error_text(error), REMEDY)
    finally:
        for outputs in created:
            outputs.destroy()


def _mismatches(node: Node) -> Iterator[str]:
    """One sentence for each node that subscribes to an output with QoS incompatible with that of the output."""
    for topic, _ in node.get_publisher_names_and_types_by_node(node.get_name(), node.get_namespace()):
        offered = own_qos(node, node.get_publishers_info_by_topic(topic))
        for info in node.get_subscriptions_info_by_topic(topic):
            if offered is not None and (reason := incompatibility(offered, info.qos_profile)):
                yield f'{full_name(info)} would receive nothing on {topic}: {reason}'
