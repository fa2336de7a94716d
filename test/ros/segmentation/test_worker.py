# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmentation thread with a real node: ROS shutdown, and frames that fail."""
from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from std_msgs.msg import Header
from waiting import wait_for

from fanet_ros.inference import Segmenter
from fanet_ros.model import Checkpoint, CheckpointMetadata
from fanet_ros.ros.common.image_conversion import rgb_to_image_message
from fanet_ros.ros.segmentation.active_model import ActiveModel
from fanet_ros.ros.segmentation.camera_input import CameraInput, ReceivedFrame
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs
from fanet_ros.ros.segmentation.frame_slots import FrameSlots
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.ros.segmentation.worker import SegmentationWorker

METADATA = CheckpointMetadata('fanet18', 'paper', 'two', ('a', 'b'), ((1, 1, 1), (2, 2, 2)), training_resolution=(64, 96))


def slots_camera_and_model(node: Node) -> tuple[FrameSlots[ReceivedFrame], CameraInput, ActiveModel]:
    settings = SegmentationSettings.declare(node)
    segmenter = Segmenter(Checkpoint(METADATA.build_network().eval(), METADATA), device='cpu', engine='torch')
    slots: FrameSlots[ReceivedFrame] = FrameSlots()
    return slots, CameraInput(node, '', False, slots.put), ActiveModel(segmenter, settings, OutputStyle(segmenter.class_map))


def black_frame() -> ReceivedFrame:
    return ReceivedFrame(rgb_to_image_message(np.zeros((64, 96, 3), np.uint8), Header()), time.perf_counter())


@pytest.mark.parametrize('converts_colors', [False, True])
def test_context_shutdown_is_no_failure(
        monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], converts_colors: bool) -> None:
    """A signal invalidates the context at any point of a frame, which must not count as a failure.

    Also if images are passed on unconverted, as to a GPU.
    """
    monkeypatch.setattr(Segmenter, 'converts_colors', converts_colors)
    raised: list[Any] = []
    monkeypatch.setattr(threading, 'excepthook', raised.append)
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('segmentation', context=context)
    slots, camera, model = slots_camera_and_model(node)
    calls: list[float] = []     # called before a frame is taken, and again once it is

    def active_model() -> ActiveModel:
        calls.append(time.perf_counter())
        return model
    worker = SegmentationWorker(node, slots, {'': camera}, {'': FrameOutputs(node, '', '/camera_info', 0.0)},
                                active_model, lambda segmenter, height, width: None, lambda latency_ms, scale: None)
    worker.start()

    slots.put(black_frame())
    wait_for(lambda: camera.statistics.segmented == 1 and len(calls) == 3)
    context.shutdown()
    slots.put(black_frame())
    wait_for(lambda: len(calls) >= 4)
    slots.close()
    worker.join()

    assert not raised and not camera.statistics.rejected and camera.statistics.segmented == 1
    assert capfd.readouterr().err == ''
    node.destroy_node()


def test_failed_frame_is_counted_once_and_the_next_one_is_processed() -> None:
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('segmentation', context=context)
    slots, camera, model = slots_camera_and_model(node)
    outputs = {'': FrameOutputs(node)}
    latencies: list[tuple[float, float]] = []      # of the frame [ms], and the scale of its model
    worker = SegmentationWorker(node, slots, {'': camera}, outputs, lambda: model, lambda segmenter, height, width: None,
                                lambda *values: latencies.append(values))
    worker.start()
    node.destroy_publisher(outputs['']._coverage)       # published after the mask
    slots.put(black_frame())
    wait_for(lambda: camera.statistics.rejected)
    slots.pause()                                       # returns once nothing is in progress
    slots.resume()
    outputs[''] = FrameOutputs(node)
    slots.put(black_frame())
    wait_for(lambda: latencies)
    (latency_ms, scale), = latencies
    assert latency_ms > 0 and scale == model.scale
    slots.close()
    worker.join()
    assert camera.statistics.rejected == {'segmentation failed': 1} and camera.statistics.segmented == 1
    assert slots.dropped() == 0
    node.destroy_node()
    context.shutdown()
