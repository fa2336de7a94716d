"""The thread that segments: takes the frame that waits, makes its mask, publishes all that belongs to it."""
from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import Callable, Mapping, Optional

from rclpy.node import Node

from fanet_ros.inference import Segmentation
from fanet_ros.msg import FrameTiming
from fanet_ros.ros.active_model import ActiveModel
from fanet_ros.ros.camera_input import CameraInput, ReceivedFrame
from fanet_ros.ros.diagnostics import ERROR, WARN, FrameTimes
from fanet_ros.ros.frame_outputs import FrameOutputs
from fanet_ros.ros.frame_slots import FrameSlots
from fanet_ros.ros.image_conversion import ImageError

LOG_PERIOD_S = 1.0


class SegmentationWorker:
    """Works from start() until the slots are closed; a frame that fails is counted, logged, and the next one taken.

    :param outputs: of each camera, as long as frames come
    :param model: gives the model of the moment; a frame is segmented and shown by the one that it began with
    :param on_latency: is told the milliseconds from received to published of every frame
    """

    def __init__(self, node: Node, slots: FrameSlots[ReceivedFrame], cameras: Mapping[str, CameraInput],
                 outputs: Mapping[str, FrameOutputs], model: Callable[[], Optional[ActiveModel]],
                 on_latency: Callable[[float], None]) -> None:
        self._node, self._slots, self._cameras, self._outputs = node, slots, cameras, outputs
        self._model, self._on_latency = model, on_latency
        self._thread = threading.Thread(target=self._work, name='segmentation', daemon=True)

    def start(self) -> None:
        """Begin to take frames."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, once the slots are closed."""
        self._thread.join()

    def _work(self) -> None:
        while (taken := self._slots.take()) is not None:
            name, frame = taken
            model, camera = self._model(), self._cameras[name]
            if model is None:
                continue
            try:
                if not self._is_too_old(camera, frame, model.settings.max_frame_age_ms):
                    self._segment(camera, frame, model)
            except ImageError as error:
                camera.statistics.frame_rejected(camera.now_s(), error.kind, str(error), WARN)
                self._node.get_logger().warning(
                    f'frame rejected{_of(name)}: {error}', throttle_duration_sec=LOG_PERIOD_S)
            except Exception as error:      # one bad frame must not end a node that a robot relies on
                if self._node.context.ok():     # else the node is ending, and publishing has become impossible
                    reason = f'{type(error).__name__}: {error}'
                    camera.statistics.frame_rejected(camera.now_s(), 'segmentation failed', reason, ERROR)
                    self._node.get_logger().error(
                        f'frame failed{_of(name)}: {reason}', throttle_duration_sec=LOG_PERIOD_S)
            del taken, frame, model     # the last model is not to be kept until the next frame comes

    def _is_too_old(self, camera: CameraInput, frame: ReceivedFrame, max_age_ms: float) -> bool:
        """Whether the frame's stamp is older than allowed, which is counted."""
        if not max_age_ms:
            return False
        stamp = frame.message.header.stamp
        age_ms = (camera.now_s() - stamp.sec - stamp.nanosec * 1e-9) * 1e3
        if age_ms <= max_age_ms:
            return False
        camera.statistics.frame_too_old(camera.now_s(), age_ms)
        return True

    def _segment(self, camera: CameraInput, frame: ReceivedFrame, model: ActiveModel) -> None:
        taken = time.perf_counter()
        rgb = camera.to_rgb(frame.message)
        converted = time.perf_counter()
        header, outputs = frame.message.header, self._outputs[camera.name]
        segmentation = model.segmenter.segment(
            rgb, confidence=outputs.wants_confidence, stamp_s=header.stamp.sec + header.stamp.nanosec * 1e-9,
            camera=camera.name, smoothing=model.settings.temporal_smoothing)
        times = outputs.publish(rgb, segmentation, header, model.style)
        total_ms = (time.perf_counter() - frame.received) * 1e3
        self._report(camera, frame, segmentation, FrameTimes(
            wait_ms=(taken - frame.received) * 1e3, convert_ms=(converted - taken) * 1e3,
            **asdict(segmentation.times), **asdict(times), total_ms=total_ms))
        self._on_latency(total_ms)

    def _report(
            self, camera: CameraInput, frame: ReceivedFrame, segmentation: Segmentation, times: FrameTimes) -> None:
        statistics = camera.statistics
        statistics.frame_segmented(camera.now_s(), times)
        self._outputs[camera.name].publish_timing(FrameTiming(
            header=frame.message.header, input_height=segmentation.input_height,
            input_width=segmentation.input_width, frames_received=statistics.received,
            frames_segmented=statistics.segmented,
            frames_dropped=statistics.dropped(self._slots.dropped(camera.name)),
            frames_rejected=sum(statistics.rejected.values()), **asdict(times)))


def _of(camera: str) -> str:
    return f' of {camera}' if camera else ''
