# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera checks of doctor, using the same subscriptions as the node."""
from __future__ import annotations

import difflib
import time
from dataclasses import dataclass, field
from typing import Any, Iterator, Optional

import numpy as np
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage

from fanet_ros.bags.topics import COMPRESSED, IMAGE_TYPES, Topic, looks_like_camera
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX
from fanet_ros.ros.common.image_conversion import ImageError
from fanet_ros.ros.common.qos_overrides import overridable_subscription
from fanet_ros.ros.common.silence import transport_remedy
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding
from fanet_ros.ros.segmentation.camera_info import CameraInfos, camera_info_topic
from fanet_ros.ros.segmentation.camera_input import CameraInput, ReceivedFrame
from fanet_ros.ros.segmentation.frame_outputs import CAMERA_INFO_QOS

FRAMES = 30                     # enough to measure a rate
OLD_S, AHEAD_S = 1.0, 0.1       # limits for stamps relative to the clock


@dataclass
class CameraReception:
    """What was received from one camera."""

    camera: CameraInput
    received_s: list[float] = field(default_factory=list)       # time.perf_counter()
    age_s: float = 0.0                                          # age of the newest stamp on arrival
    newest: Optional[ReceivedFrame] = None
    infos: CameraInfos = field(default_factory=CameraInfos)
    rgb: Optional[np.ndarray] = None                            # newest frame, (H, W, 3) uint8

    @property
    def rate_hz(self) -> float:
        """Mean rate of the received images; 0.0 for fewer than two."""
        if len(self.received_s) < 2:
            return 0.0
        return (len(self.received_s) - 1) / max(self.received_s[-1] - self.received_s[0], 1e-6)


def receive(node: Node, names: tuple[str, ...], is_compressed: bool, wait_s: float, bit_depth: int = 0) -> list[CameraReception]:
    """Subscribe like the segmentation node, for `wait_s` or until FRAMES images of each camera have arrived.

    :param names: camera names, ('',) for a single camera
    """
    receptions: list[CameraReception] = []

    def subscribe(name: str) -> None:
        def on_frame(frame: ReceivedFrame) -> None:
            reception.received_s.append(frame.received)
            reception.age_s = reception.camera.now_s() - stamp_ns(frame.message.header) / 10**9
            reception.newest = frame
        reception = CameraReception(CameraInput(node, name, is_compressed, on_frame, bit_depth))
        reception.camera.subscribe()
        info = camera_info_topic(node, reception.camera.topic, name)
        overridable_subscription(node, CameraInfo, info, reception.infos.put, CAMERA_INFO_QOS)
        receptions.append(reception)
    for name in names:
        subscribe(name)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + wait_s
    while time.monotonic() < end and any(len(reception.received_s) < FRAMES for reception in receptions):
        executor.spin_once(timeout_sec=0.1)
    executor.remove_node(node)
    return receptions


def check_camera(node: Node, reception: CameraReception, wait_s: float) -> Iterator[Finding]:
    """Check topic, encoding, size, rate, stamps and calibration of one camera; stores its newest frame in `reception.rgb`."""
    name, topic = reception.camera.name or 'camera', reception.camera.topic
    if reception.newest is None:
        remedy = _suggestion(node, reception.camera)
        reason = reception.camera.why_silent().removesuffix(f', but {remedy}')      # the node's log has both in one line
        yield Finding(name, ERROR, f'no image within {wait_s:g} s: {reason}', remedy)
        return
    message = reception.newest.message
    try:
        reception.rgb = reception.camera.raw_image(message).rgb
    except ImageError as error:
        yield Finding(name, ERROR, f'{topic}: unreadable images: {error}', 'see the encodings in the README')
        return
    kind = message.format if isinstance(message, CompressedImage) else f'{message.encoding}, step {message.step}'
    height, width = reception.rgb.shape[:2]
    yield Finding(name, OK, f'{topic}: {width}x{height}, {kind}, {reception.rate_hz:.1f} images/s, '
                             f'frame_id {message.header.frame_id!r}')
    for text in reception.camera.notes:
        yield Finding(name, WARN, text, 'see the encodings in the README')
    yield from _check_stamp(name, message, reception)
    info = camera_info_topic(node, topic, reception.camera.name)
    if node.count_publishers(info):
        if reception.infos.find(message.header, height, width) is None:
            reason = reception.infos.rejection_reason(message.header, height, width, info)
            yield Finding(name, WARN, f'{info}: {reason}; the mask will have no ~/camera_info',
                          'calibrate the camera, or fix the CameraInfo of its driver')
        else:
            yield Finding(name, OK, f'{info} is published and matches the images')
    else:
        yield Finding(name, WARN, f'nobody publishes {info}: the mask will have no ~/camera_info',
                      'remap camera_info if it has another name; nothing else needs calibration')


def _check_stamp(name: str, message: Any, reception: CameraReception) -> Iterator[Finding]:
    if not stamp_ns(message.header):
        yield Finding(name, WARN, 'its stamps are 0: masks cannot be synchronised with other topics',
                      'make the driver stamp its images')
    elif reception.age_s > OLD_S:
        yield Finding(name, WARN, f'its stamps are {reception.age_s:.1f} s old when they arrive',
                      'if this is a bag or a simulation: use_sim_time:=true; otherwise synchronise the clocks with chrony, or look '
                      'for a queue before the node; max_frame_age_ms would drop them')
    elif reception.age_s < -AHEAD_S:
        yield Finding(name, WARN, f'its stamps are {-reception.age_s:.1f} s ahead of the local clock',
                      'synchronise the clocks with chrony')
    else:
        yield Finding(name, OK, f'stamps are {1e3 * reception.age_s:.0f} ms old when they arrive')


def _suggestion(node: Node, camera: CameraInput) -> str:
    topic = camera.topic
    if node.count_publishers(topic):
        return f'check that the publisher of {topic} sends images, with this type and compatible QoS; or remap image'
    if remedy := transport_remedy(node, topic):
        return remedy
    images = {name: types[0] for name, types in node.get_topic_names_and_types() if set(types) & set(IMAGE_TYPES)
              and node.count_publishers(name) and looks_like_camera(Topic(name, types[0], 0))}
    if not images:
        return 'no image topic found: start the camera, and check that ROS_DOMAIN_ID is the same'
    near = difflib.get_close_matches(topic, images, 3, 0.0)
    fitting = next((name for name in near if images[name] == camera.type_name), near[0])
    return f'these are published: {", ".join(near)}; {_remapping(camera, fitting, images[fitting])}'


def _remapping(camera: CameraInput, topic: str, type_name: str) -> str:
    """What to set for `camera` to receive `topic`."""
    name, kind = f'{camera.name}/image' if camera.name else 'image', 'compressed' if type_name == COMPRESSED else 'raw'
    if kind == 'compressed' and not topic.endswith(COMPRESSED_SUFFIX):
        name += COMPRESSED_SUFFIX
    elif kind == 'compressed':
        topic = topic.removesuffix(COMPRESSED_SUFFIX)       # which this node appends, as image_transport does
    transport = '' if type_name == camera.type_name else f' -p image_transport:={kind}'
    return f'remap: --ros-args -r {name}:={topic}{transport}'
