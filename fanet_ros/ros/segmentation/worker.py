# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmentation thread: takes waiting frames, publishes their masks, and hands them to the finisher thread."""
from __future__ import annotations

import functools
import threading
import time
from dataclasses import asdict, dataclass
from typing import Callable, Mapping, Optional, TypeVar

from rclpy.node import Node

from fanet_ros.error_text import typed_error_text
from fanet_ros.images.stamps import stamp_ns
from fanet_ros.inference import FrameInput, Segmentation
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.common.image_conversion import ImageError
from fanet_ros.ros.segmentation.active_model import ActiveModel, AnySegmenter
from fanet_ros.ros.segmentation.camera_input import CameraInput, ReceivedFrame
from fanet_ros.ros.segmentation.diagnostics import ERROR, WARN, FrameTimes
from fanet_ros.ros.segmentation.frame_finisher import FrameFinisher, Job
from fanet_ros.ros.segmentation.frame_layers import FrameLayers
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs, MaskTimes
from fanet_ros.ros.segmentation.frame_slots import FrameSlots

LOG_PERIOD_S = 1.0
Result = TypeVar('Result')


@dataclass(frozen=True)
class _Frame:
    """A frame in progress; times by time.perf_counter(), in seconds."""

    camera: CameraInput
    received: ReceivedFrame
    input: FrameInput
    taken: float
    converted: float


class SegmentationWorker:
    """Runs from start() until the slots are closed. A frame that fails is counted and logged; the next one is processed.

    Frames of several cameras that wait at the same time are segmented as one batch. All outputs except the mask, such as
    the overlay, are made on a second thread while this one continues.

    :param outputs: outputs of each camera; complete whenever frames arrive
    :param model: returns the active model; each frame keeps the one it started with
    :param on_new_shape: called with segmenter, height and width for frames of a shape that the segmenter is not prepared
        for; until it is, they are squeezed to another aspect ratio
    :param on_latency: called for every frame with the milliseconds from received to all outputs published, and the scale of its
        model
    """

    def __init__(self, node: Node, slots: FrameSlots[ReceivedFrame], cameras: Mapping[str, CameraInput],
                 outputs: Mapping[str, FrameOutputs], model: Callable[[], Optional[ActiveModel]],
                 on_new_shape: Callable[[AnySegmenter, int, int], None], on_latency: Callable[[float, float], None]) -> None:
        self._node, self._slots, self._cameras, self._outputs = node, slots, cameras, outputs
        self._model, self._on_new_shape, self._on_latency = model, on_new_shape, on_latency
        self._finisher = FrameFinisher(slots.done)
        self._thread = threading.Thread(target=self._work, name='segmentation', daemon=True)

    def start(self) -> None:
        self._finisher.start()
        self._thread.start()

    def join(self) -> None:
        """Wait for both threads to end, after the slots have been closed."""
        self._thread.join()
        self._finisher.close()

    def _work(self) -> None:
        while taken := self._slots.take(self._batch_size()):
            self._finisher.put(self._work_on(taken))

    def _batch_size(self) -> int:
        model = self._model()
        return 1 if model is None else model.segmenter.batch

    def _work_on(self, taken: list[tuple[str, ReceivedFrame]]) -> list[Job]:
        """Segment frames of different cameras and publish their masks; returns the remaining jobs."""
        model = self._model()
        if model is None:
            return []
        frames = [frame for name, received in taken
                  if (frame := self._guarded(self._cameras[name], self._prepare, name, received, model)) is not None]
        remaining = [self._guarded(frame.camera, self._publish_mask, frame, segmentation, model)
                     for frame, segmentation in zip(frames, self._segment(frames, model)) if segmentation is not None]
        return [job for job in remaining if job is not None]

    def _guarded(self, camera: CameraInput, work: Callable[..., Result], *arguments: object) -> Optional[Result]:
        """Result of `work`; None if it fails, which is counted and logged: a bad frame must not end the node."""
        try:
            return work(*arguments)
        except ImageError as error:
            camera.statistics.frame_rejected(camera.now_s(), error.kind, str(error), WARN)
            self._node.get_logger().warning(
                f'frame rejected{_of(camera)}: {error}', throttle_duration_sec=LOG_PERIOD_S)
        except Exception as error:
            if self._node.context.ok():     # otherwise the node is shutting down and cannot publish
                reason = typed_error_text(error)
                camera.statistics.frame_rejected(camera.now_s(), 'segmentation failed', reason, ERROR)
                self._node.get_logger().error(
                    f'frame failed{_of(camera)}: {reason}', throttle_duration_sec=LOG_PERIOD_S)
        return None

    def _prepare(self, name: str, received: ReceivedFrame, model: ActiveModel) -> Optional[_Frame]:
        """The frame, converted to RGB unless the segmenter does that; None if it is too old, which is counted."""
        camera = self._cameras[name]
        taken = time.perf_counter()
        if self._is_too_old(camera, received, model.settings.max_frame_age_ms):
            return None
        outputs, style, segmenter = self._outputs[name], model.style, model.segmenter
        overlay = style.overlay_colors if outputs.wants_overlay(taken) else None
        image = camera.raw_image(received.message, segmenter.size_for if overlay is None else None)
        frame = FrameInput(image if segmenter.converts_colors or image.full_size else image.rgb,
                           outputs.wants_confidence or style.min_confidence > 0, stamp_ns(received.message.header) / 10**9, name,
                           overlay)
        return _Frame(camera, received, frame, taken, time.perf_counter())

    def _is_too_old(self, camera: CameraInput, received: ReceivedFrame, max_age_ms: float) -> bool:
        """Whether the frame's stamp is older than allowed, which is counted."""
        stamp = stamp_ns(received.message.header)
        if not max_age_ms or not stamp:       # age unknown without a stamp
            return False
        age_ms = (camera.now_s() - stamp / 10**9) * 1e3
        if age_ms <= max_age_ms:
            return False
        camera.statistics.frame_too_old(camera.now_s(), age_ms)
        return True

    def _segment(self, frames: list[_Frame], model: ActiveModel) -> list[Optional[Segmentation]]:
        """Segment all frames as one batch; if that fails, one by one, so that a failure is attributed to its camera."""
        if not frames:
            return []
        for frame in frames:
            if not model.segmenter.is_ready_for(*frame.input.size):
                self._on_new_shape(model.segmenter, *frame.input.size)
        inputs = [frame.input for frame in frames]
        segment = functools.partial(model.segmenter.segment_batch, smoothing=model.settings.temporal_smoothing, builds=False)
        if len(frames) > 1:
            try:
                return list(segment(inputs))
            except Exception as error:
                self._node.get_logger().warning(
                    f'batch of {len(frames)} frames failed, retrying one by one: {typed_error_text(error)}',
                    throttle_duration_sec=LOG_PERIOD_S)
        results = [self._guarded(frame.camera, segment, [item]) for frame, item in zip(frames, inputs)]
        return [None if result is None else result[0] for result in results]

    def _publish_mask(self, frame: _Frame, segmentation: Segmentation, model: ActiveModel) -> Job:
        """Publish the mask; returns the remaining job of the frame."""
        outputs = self._outputs[frame.camera.name]
        layers = FrameLayers(frame.input, segmentation, model.style)
        times = outputs.publish_mask(layers, frame.received.message.header, model.style)
        return functools.partial(self._guarded, frame.camera, self._publish_other_outputs, frame, segmentation, layers, times,
                                 outputs, model)

    def _publish_other_outputs(self, frame: _Frame, segmentation: Segmentation, layers: FrameLayers, mask_times: MaskTimes,
                               outputs: FrameOutputs, model: ActiveModel) -> None:
        header, received = frame.received.message.header, frame.received.received
        overlay_ms = outputs.publish_other_outputs(layers, header, model.style)
        times = FrameTimes(
            wait_ms=(frame.taken - received) * 1e3, convert_ms=(frame.converted - frame.taken) * 1e3,
            **asdict(segmentation.times), **asdict(mask_times), overlay_ms=overlay_ms,
            total_ms=(time.perf_counter() - received) * 1e3)
        statistics = frame.camera.statistics
        statistics.frame_segmented(frame.camera.now_s(), times, layers.doubtful_share)
        outputs.publish_timing(FrameTiming(
            header=header, input_height=segmentation.input_height, input_width=segmentation.input_width,
            batch_size=segmentation.batch_size, frames_received=statistics.received,
            frames_segmented=statistics.segmented,
            frames_dropped=statistics.dropped(self._slots.dropped(frame.camera.name)),
            frames_rejected=sum(statistics.rejected.values()), **asdict(times)))
        self._on_latency(times.total_ms, model.scale)


def _of(camera: CameraInput) -> str:
    return f' of {camera.name}' if camera.name else ''
