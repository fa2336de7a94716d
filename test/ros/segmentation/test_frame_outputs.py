# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is published for a frame, over real DDS: Nav2's semantic_segmentation_layer sets the rules."""
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
from fanet_ros.ros.segmentation.class_map_messages import LabelInfo, label_info_message
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.frame_outputs import LATCHED_QOS, FrameOutputs
from fanet_ros.ros.segmentation.output_style import OutputStyle

DEADLINE_S = 60.0
STREET = ClassMap('street', ('sky', 'road', 'pavement', 'car'), ((1, 1, 1), (255, 0, 51), (3, 3, 3), (4, 4, 4)),
                  ids=(23, 7, 8, 26))
OTHER = ClassMap('other', ('a', 'b', 'c', 'd'), STREET.colors)
HEIGHT, WIDTH = 12, 20
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 4, (HEIGHT, WIDTH), np.uint8)
CONFIDENCE = np.random.default_rng(2).integers(1, 256, (HEIGHT, WIDTH), np.uint8)


def segmentation(confidence: Optional[np.ndarray] = None) -> Segmentation:
    return Segmentation(LABELS, confidence, StageTimes(0.0, 0.0, 0.0), 6, 10)


def publish(outputs: FrameOutputs, found: Segmentation, of_header: Header, style: OutputStyle) -> float:
    """All of one frame; returns the milliseconds of the overlay."""
    layers = FrameLayers(FrameInput(RGB), found, style)
    outputs.publish_mask(layers, of_header, style)
    return outputs.publish_rest(layers, of_header, style)


def header(second: int) -> Header:
    return Header(stamp=Time(sec=second, nanosec=5), frame_id='a camera/with odd name')


def pixels(message: Image) -> np.ndarray:
    """The rules: mono8, no padding, values as they are."""
    assert (message.encoding, message.step, message.is_bigendian) == ('mono8', message.width, 0)
    assert len(message.data) == message.width * message.height
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)


class Listener:
    """The consumer's side, in a DDS participant of its own, and both sides' executors."""

    def __init__(self) -> None:
        self.contexts = (Context(), Context())
        for context in self.contexts:
            rclpy.init(context=context)
        self.node, self._ears = (rclpy.create_node(name, context=context)
                                 for name, context in zip(('segmentation', 'ears'), self.contexts))
        self._executors = [SingleThreadedExecutor(context=context) for context in self.contexts]
        for executor, node in zip(self._executors, (self.node, self._ears)):
            executor.add_node(node)
        self.calibrations = self._ears.create_publisher(CameraInfo, '/camera_info', 5)

    def hear(self, message_type: type, topic: str, qos: QoSProfile = QoSProfile(depth=50)) -> list[Any]:
        messages: list[Any] = []
        self._ears.create_subscription(message_type, topic, messages.append, qos)
        if qos is not LATCHED_QOS:
            self.wait_for(lambda: self.node.count_subscribers(topic) > 0 and self._ears.count_publishers(topic) > 0)
        return messages

    def deaf(self) -> None:
        for subscription in list(self._ears.subscriptions):
            self._ears.destroy_subscription(subscription)

    def wait_for(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, 'it did not happen'
            for executor in self._executors:
                executor.spin_once(timeout_sec=0.01)

    def close(self) -> None:
        for executor, node, context in zip(self._executors, (self.node, self._ears), self.contexts):
            executor.shutdown()
            node.destroy_node()
            rclpy.shutdown(context=context)


@pytest.fixture(name='listener')
def listener_fixture() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def publish_until(listener: Listener, outputs: FrameOutputs, style: OutputStyle, *heard: list[Any],
                  confidence: bool = False, first_second: int = 100, info: Optional[CameraInfo] = None) -> Header:
    """Publish frames, each after the camera's `info`, until all lists have one and the same header; returns that."""
    second = first_second

    def together() -> bool:
        nonlocal second
        second += 1
        if info is not None:        # best effort: the first may be lost
            listener.calibrations.publish(info)
        publish(outputs, segmentation(CONFIDENCE if confidence else None), header(second), style)
        return bool(set.intersection(*({message.header.stamp.sec for message in messages} for messages in heard)))
    listener.wait_for(together)
    stamp = max(set.intersection(*({message.header.stamp.sec for message in messages} for messages in heard)))
    return header(stamp)


def of(messages: list[Any], wanted: Header) -> Any:
    return next(message for message in messages if message.header == wanted)


@pytest.mark.parametrize('camera', ['', 'front'])
def test_all_outputs_of_a_frame_have_its_header_and_agree(listener: Listener, camera: str) -> None:
    outputs = FrameOutputs(listener.node, camera)
    prefix = f'/segmentation/{camera}/' if camera else '/segmentation/'
    assert outputs.mask_topic == f'{prefix}mask'
    masks, confidences, overlays = (listener.hear(Image, prefix + name) for name in ('mask', 'confidence', 'overlay'))
    files = listener.hear(CompressedImage, f'{prefix}mask/compressed')
    coverages = listener.hear(ClassCoverage, f'{prefix}coverage')
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


def test_what_nobody_hears_is_not_computed(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    from fanet_ros.ros.segmentation import frame_layers
    outputs = FrameOutputs(listener.node)
    timings = listener.hear(FrameTiming, '/segmentation/timing')
    computed: list[str] = []
    for name in ('mask', 'confidence', 'overlay', 'coverage', 'mask_png', 'confidence_png', 'overlay_jpeg'):
        compute = getattr(frame_layers.FrameLayers, name).func
        monkeypatch.setattr(frame_layers.FrameLayers, name, property(
            lambda layers, name=name, compute=compute: (computed.append(name), compute(layers))[1]))
    overlay_ms = publish(outputs, segmentation(), header(1), OutputStyle(STREET))
    outputs.publish_timing(FrameTiming(header=header(1)))
    listener.wait_for(lambda: timings)
    assert set(computed) <= {'confidence'}      # which the network was not asked for, so that there is none
    assert overlay_ms == 0.0 and not outputs.wants_confidence


def test_confidence_and_overlay_come_as_files_too(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    confidences, overlays = (listener.hear(CompressedImage, f'/segmentation/{name}/compressed') for name in (
        'confidence', 'overlay'))
    listener.wait_for(lambda: outputs.wants_confidence and outputs.wants_overlay)
    style = OutputStyle(STREET, overlay_alpha=0.25, overlay_jpeg_quality=30)
    stamp = publish_until(listener, outputs, style, confidences, overlays, confidence=True)
    confidence, overlay = of(confidences, stamp), of(overlays, stamp)
    assert (confidence.format, overlay.format) == ('mono8; png compressed mono8', 'rgb8; jpeg compressed bgr8')
    assert np.array_equal(cv2.imdecode(np.frombuffer(confidence.data, np.uint8), cv2.IMREAD_UNCHANGED), CONFIDENCE)
    bgr = np.ascontiguousarray(draw_overlay(RGB, LABELS, STREET.palette(), 0.25)[..., ::-1])
    assert overlay.data.tobytes() == cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()


def test_colors_legend_and_palette_are_for_people_to_look_at() -> None:
    contrast = with_contrast(STREET)
    style = OutputStyle(STREET, overlay_alpha=1.0, colors='contrast', mask_png='palette')
    layers = FrameLayers(FrameInput(RGB), segmentation(), style)
    expected = contrast.palette()[LABELS]
    assert [item.color for item in style.table.classes] == list(contrast.colors)        # what the class map tells
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
def test_mask_of_another_size_holds_only_values_that_were_there(
        listener: Listener, output_size: str, size: tuple[int, int]) -> None:
    outputs = FrameOutputs(listener.node)
    masks, confidences = (listener.hear(Image, f'/segmentation/{name}') for name in ('mask', 'confidence'))
    infos = listener.hear(CameraInfo, '/segmentation/camera_info')
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


def test_costmap_values_are_named_and_what_has_no_class_is_never_sure(listener: Listener) -> None:
    style = OutputStyle(STREET, label_ids='dataset', class_filter='road, car', class_remap='pavement=road, car=200')
    outputs = FrameOutputs(listener.node)
    masks, confidences = (listener.hear(Image, f'/segmentation/{name}') for name in ('mask', 'confidence'))
    coverages = listener.hear(ClassCoverage, '/segmentation/coverage')
    maps = listener.hear(ClassMapMessage, '/segmentation/class_map', LATCHED_QOS)
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


def test_class_map_is_latched_and_published_again_only_when_it_changes(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    outputs.announce(OutputStyle(STREET))
    maps = listener.hear(ClassMapMessage, '/segmentation/class_map', LATCHED_QOS)
    listener.wait_for(lambda: len(maps) == 1)       # though it came before the subscription
    assert (maps[0].name, list(maps[0].ids), maps[0].names) == ('street', [0, 1, 2, 3], list(STREET.names))
    color = maps[0].colors[1]
    assert [round(255 * value) for value in (color.r, color.g, color.b, color.a)] == [255, 0, 51, 255]
    timings = listener.hear(FrameTiming, '/segmentation/timing')
    for second, style in enumerate((OutputStyle(STREET), OutputStyle(STREET, overlay_alpha=1.0), OutputStyle(OTHER))):
        publish(outputs, segmentation(), header(second), style)
        outputs.publish_timing(FrameTiming(header=header(second)))
    listener.wait_for(lambda: len(maps) == 2 and len(timings) == 3)
    assert maps[1].name == 'other' and maps[1].header == header(2)      # of the first frame that it belongs to


def test_class_map_is_repeated_for_recorders(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node, class_map_period_s=1e-6)
    maps = listener.hear(ClassMapMessage, '/segmentation/class_map')        # volatile, as a recorder may be
    publish_until(listener, outputs, OutputStyle(STREET), maps)
    count = len(maps)
    publish_until(listener, outputs, OutputStyle(STREET), maps, first_second=1000)
    listener.wait_for(lambda: len(maps) > count)
    assert {message.name for message in maps} == {'street'}


def test_label_info_is_latched_where_vision_msgs_is(listener: Listener) -> None:
    pytest.importorskip('vision_msgs')
    outputs = FrameOutputs(listener.node)
    outputs.announce(OutputStyle(STREET, class_filter='road'))
    infos = listener.hear(LabelInfo, '/segmentation/label_info', LATCHED_QOS)
    listener.wait_for(lambda: infos)
    assert {item.class_id: item.class_name for item in infos[0].class_map} == {1: 'road', 255: 'unlabelled'}


def test_label_info_holds_id_and_name_of_every_class() -> None:
    classes = OutputStyle(STREET, label_ids='dataset').table.classes
    message = label_info_message(classes, header(3), label_info=dict, vision_class=dict)
    assert message['header'] == header(3)
    assert message['class_map'] == [{'class_id': value, 'class_name': name} for value, name in (
        (7, 'road'), (8, 'pavement'), (23, 'sky'), (26, 'car'))]


def test_camera_without_calibration_or_with_one_of_another_size_gets_none(listener: Listener) -> None:
    outputs = FrameOutputs(listener.node)
    masks = listener.hear(Image, '/segmentation/mask')
    infos = listener.hear(CameraInfo, '/segmentation/camera_info')
    publish_until(listener, outputs, OutputStyle(STREET), masks)
    listener.wait_for(lambda: listener.calibrations.get_subscription_count())
    listener.calibrations.publish(CameraInfo(header=header(1), width=WIDTH + 1, height=HEIGHT))
    stamp = publish_until(listener, outputs, OutputStyle(STREET), infos, first_second=600,
                          info=CameraInfo(header=header(500), width=WIDTH, height=HEIGHT))
    assert min(info.header.stamp.sec for info in infos) > 600 and of(infos, stamp).width == WIDTH


def test_destroyed_outputs_leave_nothing_and_can_be_made_again(listener: Listener) -> None:
    before = len(list(listener.node.publishers)), len(list(listener.node.subscriptions))
    for _ in range(3):
        outputs = FrameOutputs(listener.node)
        outputs.destroy()
    assert (len(list(listener.node.publishers)), len(list(listener.node.subscriptions))) == before


@pytest.mark.parametrize('text', ['', 'Input', '320', '320x', '0x5', '5x0', '9000x10', '320X240', '320x240x3', '-3x5'])
def test_an_impossible_output_size_is_refused(text: str) -> None:
    with pytest.raises(SegmentationError, match='expected input, network, or WIDTHxHEIGHT'):
        OutputStyle(STREET, output_size=text)


def test_the_overlay_of_a_gpu_is_asked_for_in_the_colors_of_the_mask_and_published_as_it_came() -> None:
    style = OutputStyle(STREET, 0.3, label_ids='dataset', class_filter='road, car', class_remap='pavement=road, car=200')
    colors = style.overlay_colors
    drawn = FrameLayers(FrameInput(RGB), segmentation(), style).overlay
    assert np.array_equal(draw_overlay(RGB, LABELS, colors.palette, colors.alpha), drawn)
    came = Segmentation(LABELS, None, StageTimes(0.0, 0.0, 0.0), 6, 10, overlay=drawn)
    assert FrameLayers(FrameInput(RGB), came, style).overlay is drawn
