# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outputs of a frame, received over DDS; requirements are those of Nav2's semantic_segmentation_layer."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Optional

import cv2
import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from fanet_ros.msg import ClassCoverage, FrameTiming
from fanet_ros.msg import ClassMap as ClassMapMessage
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from waiting import wait_for

from fanet_ros.inference import (
    UNLABELLED,
    ClassMap,
    FrameInput,
    Segmentation,
    SegmentationError,
    StageTimes,
    draw_overlay,
    with_contrast,
)
from fanet_ros.ros.common.transport_topic import RemappingError
from fanet_ros.ros.segmentation.class_map_messages import LabelInfo, label_info_message
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.frame_outputs import LATCHED_QOS, FrameOutputs
from fanet_ros.ros.segmentation.output_style import OutputStyle

STREET = ClassMap('street', ('sky', 'road', 'pavement', 'car'), ((1, 1, 1), (255, 0, 51), (3, 3, 3), (4, 4, 4)),
                  ids=(23, 7, 8, 26))
OTHER = ClassMap('other', ('a', 'b', 'c', 'd'), STREET.colors)
HEIGHT, WIDTH = 12, 20
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 4, (HEIGHT, WIDTH), np.uint8)
CONFIDENCE = np.random.default_rng(2).integers(1, 256, (HEIGHT, WIDTH), np.uint8)


def segmentation(confidence: Optional[np.ndarray] = None) -> Segmentation:
    return Segmentation(LABELS, confidence, StageTimes(0.0, 0.0, 0.0), 6, 10)


def publish(outputs: FrameOutputs, found: Segmentation, frame_header: Header, style: OutputStyle) -> float:
    """Publish all outputs of one frame; returns the milliseconds spent on the overlay."""
    overlay = style.overlay_colors if outputs.wants_overlay(time.monotonic()) else None
    layers = FrameLayers(FrameInput(RGB, overlay=overlay), found, style)
    outputs.publish_mask(layers, frame_header, style)
    return outputs.publish_other_outputs(layers, frame_header, style)


@pytest.mark.parametrize('rules', [
    ['~/mask:=/eye/compressed'], ['~/mask:=/eye/mask', '~/mask/compressed:=/eye/mask'], ['~/front/overlay:=/eye/compressed']])
def test_an_image_and_its_compressed_form_need_topics_of_their_own(rules: list[str]) -> None:
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('segmentation', context=context,
                             cli_args=['--ros-args', *(item for rule in rules for item in ('-r', rule))])
    image, topic = rules[0].split(':=')
    raw = topic.removesuffix('/compressed')
    try:
        with pytest.raises(RemappingError, match=f'{image} and {image}/compressed are both remapped to {topic}: remap only '
                                                 f'{image}, to {raw}, and the other one is {raw}/compressed'):
            FrameOutputs(node, 'front' if 'front' in image else '')
        assert not list(node.publishers)[1:]        # of /parameter_events: none stays
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)


def header(second: int) -> Header:
    return Header(stamp=Time(sec=second, nanosec=5), frame_id='a camera/with odd name')


def pixels(message: Image) -> np.ndarray:
    """Pixels of `message`, which must be mono8 without padding."""
    assert (message.encoding, message.step, message.is_bigendian) == ('mono8', message.width, 0)
    assert len(message.data) == message.width * message.height
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)


class Listener:
    """The consumer, in its own DDS participant, with the executors of both sides."""

    def __init__(self) -> None:
        self.contexts = (Context(), Context())
        for context in self.contexts:
            rclpy.init(context=context)
        self.node, self._consumer = (rclpy.create_node(name, context=context)
                                     for name, context in zip(('segmentation', 'consumer'), self.contexts))
        self._executors = [SingleThreadedExecutor(context=context) for context in self.contexts]
        for executor, node in zip(self._executors, (self.node, self._consumer)):
            executor.add_node(node)
        self.calibrations = self._consumer.create_publisher(CameraInfo, '/camera_info', 5)

    def subscribe(self, message_type: type, topic: str, qos: QoSProfile = QoSProfile(depth=50)) -> list[Any]:
        messages: list[Any] = []
        self._consumer.create_subscription(message_type, topic, messages.append, qos)
        if qos is not LATCHED_QOS:
            self.wait_for(lambda: self.node.count_subscribers(topic) > 0 and self._consumer.count_publishers(topic) > 0)
        return messages

    def wait_for(self, condition: Callable[[], Any]) -> None:
        wait_for(condition, self._spin)

    def _spin(self) -> None:
        for executor in self._executors:
            executor.spin_once(timeout_sec=0.01)

    def close(self) -> None:
        for executor, node, context in zip(self._executors, (self.node, self._consumer), self.contexts):
            executor.shutdown()
            node.destroy_node()
            rclpy.shutdown(context=context)


@pytest.fixture(name='listener')
def listener_fixture() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def publish_until(listener: Listener, outputs: FrameOutputs, style: OutputStyle, *received: list[Any],
                  confidence: bool = False, first_second: int = 100, info: Optional[CameraInfo] = None) -> Header:
    """Publish frames, each after the camera's `info`, until all lists contain a message with the same header; returns it."""
    second = first_second

    def together() -> bool:
        nonlocal second
        second += 1
        if info is not None:        # best effort: the first may be lost
            listener.calibrations.publish(info)
        publish(outputs, segmentation(CONFIDENCE if confidence else None), header(second), style)
        return bool(set.intersection(*({message.header.stamp.sec for message in messages} for messages in received)))
    listener.wait_for(together)
    stamp = max(set.intersection(*({message.header.stamp.sec for message in messages} for messages in received)))
    return header(stamp)


def of(messages: list[Any], expected: Header) -> Any:
    return next(message for message in messages if message.header == expected)


@pytest.mark.parametrize('camera', ['', 'front'])
def test_all_outputs_of_a_frame_have_its_header_and_agree(listener: Listener, camera: str) -> None:
    outputs = FrameOutputs(listener.node, camera)
    prefix = f'/segmentation/{camera}/' if camera else '/segmentation/'
    assert outputs.mask_topic == f'{prefix}mask'
    masks, confidences, overlays = (listener.subscribe(Image, prefix + name) for name in ('mask', 'confidence', 'overlay'))
    files = listener.subscribe(CompressedImage, f'{prefix}mask/compressed')
    coverages = listener.subscribe(ClassCoverage, f'{prefix}coverage')
    listener.wait_for(lambda: outputs.wants_confidence)
    style = OutputStyle(STREET, overlay_alpha=0.25)
    stamp = publish_until(listener, outputs, style, masks, confidences, overlays, files, coverages, confidence=True)

    assert np.array_equal(pixels(of(masks, stamp)), LABELS)
    assert np.array_equal(pixels(of(confidences, stamp)), CONFIDENCE)
    overlay = np.frombuffer(of(overlays, stamp).data, np.uint8).reshape(RGB.shape)
    assert np.array_equal(overlay, draw_overlay(RGB, LABELS, STREET.palette(), 0.25))
    file = of(files, stamp)
    assert file.format == 'mono8; png compressed mono8'
    assert np.array_equal(cv2.imdecode(np.frombuffer(file.data, np.uint8), cv2.IMREAD_UNCHANGED), LABELS)
    coverage = of(coverages, stamp)
    assert list(coverage.ids) == [0, 1, 2, 3] and coverage.names == list(STREET.names)
    assert np.allclose(coverage.shares, [(LABELS == index).mean() for index in range(4)])


def test_outputs_without_subscribers_are_not_computed(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanet_ros.ros.segmentation import frame_layers
    outputs = FrameOutputs(listener.node)
    timings = listener.subscribe(FrameTiming, '/segmentation/timing')
    computed: list[str] = []
    for name in ('mask', 'confidence', 'overlay', 'coverage', 'mask_png', 'confidence_png', 'overlay_jpeg'):
        compute = getattr(frame_layers.FrameLayers, name).func
        monkeypatch.setattr(frame_layers.FrameLayers, name, property(
            lambda layers, name=name, compute=compute: (computed.append(name), compute(layers))[1]))
    overlay_ms = publish(outputs, segmentation(), header(1), OutputStyle(STREET))
    outputs.publish_timing(FrameTiming(header=header(1)))
    listener.wait_for(lambda: timings)
    assert set(computed) <= {'confidence'}      # not requested from the network, so there is none
    assert overlay_ms == 0.0 and not outputs.wants_confidence


def test_confidence_and_overlay_are_published_compressed(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    confidences, overlays = (listener.subscribe(CompressedImage, f'/segmentation/{name}/compressed') for name in (
        'confidence', 'overlay'))
    listener.wait_for(lambda: outputs.wants_confidence and outputs.wants_overlay(0.0))
    style = OutputStyle(STREET, overlay_alpha=0.25, overlay_jpeg_quality=30)
    stamp = publish_until(listener, outputs, style, confidences, overlays, confidence=True)
    confidence, overlay = of(confidences, stamp), of(overlays, stamp)
    assert (confidence.format, overlay.format) == ('mono8; png compressed mono8', 'rgb8; jpeg compressed bgr8')
    assert np.array_equal(cv2.imdecode(np.frombuffer(confidence.data, np.uint8), cv2.IMREAD_UNCHANGED), CONFIDENCE)
    bgr = np.ascontiguousarray(draw_overlay(RGB, LABELS, STREET.palette(), 0.25)[..., ::-1])
    assert overlay.data.tobytes() == cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()


def test_colors_legend_and_palette() -> None:
    contrast = with_contrast(STREET)
    style = OutputStyle(STREET, overlay_alpha=1.0, colors='contrast', mask_png='palette')
    layers = FrameLayers(FrameInput(RGB), segmentation(), style)
    expected = contrast.palette()[LABELS]
    assert [item.color for item in style.table.classes] == list(contrast.colors)        # as in the class map
    assert np.array_equal(layers.overlay, expected) and np.array_equal(layers.mask, LABELS)
    assert np.array_equal(cv2.imdecode(np.frombuffer(layers.mask_png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], expected)

    rgb, labels = np.zeros((200, 320, 3), np.uint8), np.ones((200, 320), np.uint8)
    for drawn in (None, np.full((200, 320, 3), 7, np.uint8)):          # by a GPU, for example
        found = Segmentation(labels, None, StageTimes(0.0, 0.0, 0.0), 64, 64, overlay=drawn)
        plain, named = (FrameLayers(FrameInput(rgb), found, OutputStyle(STREET, overlay_legend=legend)).overlay
                        for legend in (False, True))
        assert named.shape == plain.shape and np.array_equal(named[60:], plain[60:])
        for color in STREET.colors:
            assert (named[:60] == color).all(axis=2).any()


@pytest.mark.parametrize(('output_size', 'size'), [('network', (6, 10)), ('40x8', (8, 40)), ('3x2', (2, 3))])
def test_resized_mask_has_only_existing_values(
        listener: Listener, output_size: str, size: tuple[int, int]) -> None:
    outputs = FrameOutputs(listener.node)
    masks, confidences = (listener.subscribe(Image, f'/segmentation/{name}') for name in ('mask', 'confidence'))
    infos = listener.subscribe(CameraInfo, '/segmentation/camera_info')
    listener.wait_for(lambda: outputs.wants_confidence and listener.calibrations.get_subscription_count())
    info = CameraInfo(header=header(1), width=WIDTH, height=HEIGHT)
    info.k[0], info.p[6] = 100.0, 60.0
    stamp = publish_until(listener, outputs, OutputStyle(STREET, output_size=output_size), masks, confidences, infos,
                          confidence=True, info=info)
    mask, confidence, scaled = (of(messages, stamp) for messages in (masks, confidences, infos))
    rows = ((np.arange(size[0]) + 0.5) * HEIGHT / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * WIDTH / size[1]).astype(int)
    assert np.array_equal(pixels(mask), LABELS[np.ix_(rows, columns)])
    assert np.array_equal(pixels(confidence), CONFIDENCE[np.ix_(rows, columns)])
    assert (scaled.height, scaled.width) == size
    assert (scaled.k[0], scaled.p[6]) == (100.0 * size[1] / WIDTH, 60.0 * size[0] / HEIGHT)


def test_costmap_values_are_named_and_unlabelled_has_no_confidence(listener: Listener) -> None:
    style = OutputStyle(STREET, label_ids='dataset', class_filter='road, car', class_remap='pavement=road, car=200')
    outputs = FrameOutputs(listener.node)
    masks, confidences = (listener.subscribe(Image, f'/segmentation/{name}') for name in ('mask', 'confidence'))
    coverages = listener.subscribe(ClassCoverage, '/segmentation/coverage')
    maps = listener.subscribe(ClassMapMessage, '/segmentation/class_map', LATCHED_QOS)
    listener.wait_for(lambda: outputs.wants_confidence)
    stamp = publish_until(listener, outputs, style, masks, confidences, coverages, confidence=True)
    listener.wait_for(lambda: maps)
    mask = pixels(of(masks, stamp))
    assert np.array_equal(mask, np.array([UNLABELLED, 7, 7, 200], np.uint8)[LABELS])
    expected = np.where(LABELS == 0, 0, CONFIDENCE)
    assert np.array_equal(pixels(of(confidences, stamp)), expected)
    named = dict(zip(maps[-1].ids, maps[-1].names))
    assert named == {7: 'road', 200: 'car', 255: 'unlabelled'} and set(np.unique(mask)) <= set(named)
    coverage = of(coverages, stamp)
    assert dict(zip(coverage.ids, coverage.names)) == named and sum(coverage.shares) == pytest.approx(1.0)


def test_class_map_is_latched_and_republished_only_on_change(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    outputs.announce(OutputStyle(STREET))
    maps = listener.subscribe(ClassMapMessage, '/segmentation/class_map', LATCHED_QOS)
    listener.wait_for(lambda: len(maps) == 1)       # although published before the subscription
    assert (maps[0].name, list(maps[0].ids), maps[0].names) == ('street', [0, 1, 2, 3], list(STREET.names))
    color = maps[0].colors[1]
    assert [round(255 * value) for value in (color.r, color.g, color.b, color.a)] == [255, 0, 51, 255]
    timings = listener.subscribe(FrameTiming, '/segmentation/timing')
    for second, style in enumerate((OutputStyle(STREET), OutputStyle(STREET, overlay_alpha=1.0), OutputStyle(OTHER))):
        publish(outputs, segmentation(), header(second), style)
        outputs.publish_timing(FrameTiming(header=header(second)))
    listener.wait_for(lambda: len(maps) == 2 and len(timings) == 3)
    assert maps[1].name == 'other' and maps[1].header == header(2)      # of the first frame to which it applies


def test_class_map_is_repeated_for_recorders(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node, class_map_period_s=1e-6)
    maps = listener.subscribe(ClassMapMessage, '/segmentation/class_map')        # volatile, like some recorders
    publish_until(listener, outputs, OutputStyle(STREET), maps)
    count = len(maps)
    publish_until(listener, outputs, OutputStyle(STREET), maps, first_second=1000)
    listener.wait_for(lambda: len(maps) > count)
    assert {message.name for message in maps} == {'street'}


def test_label_info_is_latched_if_vision_msgs_is_installed(listener: Listener) -> None:
    pytest.importorskip('vision_msgs')
    outputs = FrameOutputs(listener.node)
    outputs.announce(OutputStyle(STREET, class_filter='road'))
    infos = listener.subscribe(LabelInfo, '/segmentation/label_info', LATCHED_QOS)
    listener.wait_for(lambda: infos)
    assert {item.class_id: item.class_name for item in infos[0].class_map} == {1: 'road', 255: 'unlabelled'}


def test_label_info_has_id_and_name_of_every_class() -> None:
    classes = OutputStyle(STREET, label_ids='dataset').table.classes
    message = label_info_message(classes, header(3), label_info=dict, vision_class=dict)
    assert message['header'] == header(3)
    assert message['class_map'] == [{'class_id': value, 'class_name': name} for value, name in (
        (7, 'road'), (8, 'pavement'), (23, 'sky'), (26, 'car'))]


def test_no_camera_info_without_calibration_of_the_image_size(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    masks = listener.subscribe(Image, '/segmentation/mask')
    infos = listener.subscribe(CameraInfo, '/segmentation/camera_info')
    publish_until(listener, outputs, OutputStyle(STREET), masks)
    listener.wait_for(lambda: listener.calibrations.get_subscription_count())
    listener.calibrations.publish(CameraInfo(header=header(1), width=WIDTH + 1, height=HEIGHT))
    stamp = publish_until(listener, outputs, OutputStyle(STREET), infos, first_second=600,
                          info=CameraInfo(header=header(500), width=WIDTH, height=HEIGHT))
    assert min(info.header.stamp.sec for info in infos) > 600 and of(infos, stamp).width == WIDTH


def test_outputs_can_be_destroyed_and_recreated(listener: Listener) -> None:
    before = len(list(listener.node.publishers)), len(list(listener.node.subscriptions))
    for _ in range(3):
        outputs = FrameOutputs(listener.node)
        outputs.destroy()
    assert (len(list(listener.node.publishers)), len(list(listener.node.subscriptions))) == before


@pytest.mark.parametrize('text', ['', 'Input', '320', '320x', '0x5', '5x0', '9000x10', '320X240', '320x240x3', '-3x5'])
def test_invalid_output_size_is_refused(text: str) -> None:
    with pytest.raises(SegmentationError, match='expected input, network, or WIDTHxHEIGHT'):
        OutputStyle(STREET, output_size=text)


def test_gpu_overlay_uses_the_colors_of_the_mask_and_is_published_unmodified() -> None:
    style = OutputStyle(STREET, 0.3, label_ids='dataset', class_filter='road, car', class_remap='pavement=road, car=200')
    colors = style.overlay_colors
    drawn = FrameLayers(FrameInput(RGB), segmentation(), style).overlay
    assert np.array_equal(draw_overlay(RGB, LABELS, colors.palette, colors.alpha), drawn)
    segmented = Segmentation(LABELS, None, StageTimes(0.0, 0.0, 0.0), 6, 10, overlay=drawn)
    assert FrameLayers(FrameInput(RGB), segmented, style).overlay is drawn
