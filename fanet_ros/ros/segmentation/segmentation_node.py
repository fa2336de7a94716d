# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The segmentation node: camera images in, class masks out.

    ros2 run fanet_ros segmentation_node --ros-args -r image:=/camera/image_raw -p input_scale:=0.75

In: image (with image_transport compressed: image/compressed) and camera_info. Out: ~/mask, ~/confidence, ~/overlay, ~/class_map,
~/timing, /diagnostics and others, see docs/topics.md.
"""
from __future__ import annotations

import functools
from dataclasses import replace
from typing import Optional, Sequence

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from fanet_ros.error_text import error_text
from fanet_ros.ros.common.log_bridge import LogBridge
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.common.process import fail, ignore_signals, leave, shut_down, start_ros
from fanet_ros.ros.common.qos_overrides import warn_of_unused_overrides
from fanet_ros.ros.segmentation.camera_info import camera_info_topic
from fanet_ros.ros.segmentation.camera_input import CameraInput, ReceivedFrame
from fanet_ros.ros.segmentation.diagnostics import Status
from fanet_ros.ros.segmentation.diagnostics_publisher import DiagnosticsPublisher, NodeState
from fanet_ros.ros.segmentation.engine_upkeep import EngineUpkeep
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs
from fanet_ros.ros.segmentation.frame_slots import FrameSlots
from fanet_ros.ros.segmentation.impossible_transition import refuse_impossible_transitions
from fanet_ros.ros.segmentation.latency_control import LatencyControl
from fanet_ros.ros.segmentation.lazy_subscriptions import LazySubscriptions
from fanet_ros.ros.segmentation.live_settings import LiveSettings
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings
from fanet_ros.ros.segmentation.worker import SegmentationWorker

UNCONFIGURED, INACTIVE, ACTIVE, FINALIZED = 'unconfigured', 'inactive', 'active', 'finalized'


class SegmentationNode(FittedParameters, LifecycleNode):
    """Lifecycle node: configure loads the model and advertises the outputs, activate subscribes to the images,
    deactivate stops immediately and keeps the model, cleanup releases its memory.

    :raises ValueError: a parameter is invalid
    :raises rclpy.exceptions.ParameterException: a parameter has the wrong type or is out of range
    """

    parameter_specs = SegmentationSettings.specs()

    def __init__(self) -> None:
        super().__init__('segmentation')
        refuse_impossible_transitions(self)
        LogBridge(self).install()
        settings = SegmentationSettings.declare(self)
        self._state = UNCONFIGURED
        self._failure: Optional[Exception] = None
        self._logs_failures = True
        self._switch = ModelSwitch(self._receive, self.get_logger().info)
        self._latency = LatencyControl(self._switch, self.get_logger().info)
        names = settings.cameras or ('',)
        self._slots: FrameSlots[ReceivedFrame] = FrameSlots(names)
        self._slots.pause()
        self._cameras = {
            name: CameraInput(self, name, settings.image_transport == 'compressed',
                              functools.partial(self._slots.put, camera=name), settings.bit_depth)
            for name in names}
        self._outputs: dict[str, FrameOutputs] = {}
        self._live = LiveSettings(self, settings, self._switch, self._latency, self._cameras, self._outputs)
        self._lazy_subscriptions = LazySubscriptions(self, self._cameras, self._outputs, lambda: self.settings.lazy)
        self._worker = SegmentationWorker(self, self._slots, self._cameras, self._outputs, lambda: self._switch.active,
                                          self._switch.prepare, self._latency.add)
        self._worker.start()
        self._upkeep = EngineUpkeep(self, self._switch, lambda: self.settings.engine == 'auto')
        self._diagnostics = DiagnosticsPublisher(self, settings.diagnostics_period_s, self._describe, {
            name: (functools.partial(self._status_of, camera), camera.why_silent)
            for name, camera in self._cameras.items()})

    @property
    def settings(self) -> SegmentationSettings:
        """The settings in use, which change with the parameters."""
        return self._live.current

    def start(self) -> None:
        """Configure and activate, as a lifecycle manager would.

        :raises Exception: a transition failed
        """
        self._logs_failures = False         # raised to the caller instead
        for transition in (self.trigger_configure, self.trigger_activate):
            if transition() != TransitionCallbackReturn.SUCCESS:
                raise self._failure or RuntimeError('the node could not be started')
        self._logs_failures = True

    def close(self) -> bool:
        """Stop all threads after finishing the current frame. False if a model is still being built."""
        self._slots.close()
        self._worker.join()
        return self._switch.close()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model, warm it up, advertise the outputs. A failure is logged and leaves the node unconfigured."""
        try:
            self._switch.load(self.settings)
            self._latency.restart()
            self._outputs.update(
                (name, FrameOutputs(self, name, camera_info_topic(self, camera.topic, name), self.settings.class_map_period_s))
                for name, camera in self._cameras.items())
            self._live.limit_rates()
            for outputs in self._outputs.values():      # the classes are known before the first frame
                outputs.announce(self._switch.loaded.style)
        except Exception as error:      # checkpoint, device and engine raise all kinds of errors
            return self._refuse('configured', error)
        self._state = INACTIVE
        self._log_transition(f'configured: {self._switch.loaded.segmenter.description}')
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the images."""
        try:
            self._slots.resume()
            self._lazy_subscriptions.start()
        except Exception as error:
            self._stop()
            return self._refuse('activated', error, keep=True)
        self._state = ACTIVE
        warn_of_unused_overrides(self)
        topics = ', '.join(camera.topic for camera in self._cameras.values())
        masks = ', '.join(outputs.mask_topic for outputs in self._outputs.values())
        self.get_logger().info(f'segmenting {topics} with {self._switch.loaded.segmenter.description}, mask on {masks}')
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe; the current frame is the last one, and is published before this returns."""
        self._stop()
        self._state = INACTIVE
        self._log_transition('deactivated: unsubscribed from the images, the model stays loaded')
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release model, memory and publishers."""
        self._release()
        self._log_transition('cleaned up: the model is unloaded')
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Like cleanup, from any state."""
        self._release(FINALIZED)
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a failed transition: return to unconfigured, from where a client can try again."""
        self._release()
        return super().on_error(state)

    def _log_transition(self, text: str) -> None:
        if self._logs_failures:         # not during autostart: the message on activation is enough
            self.get_logger().info(text)

    def _refuse(self, target: str, error: Exception, keep: bool = False) -> TransitionCallbackReturn:
        if not self.context.ok():       # shutdown was requested: not a failure, but Kilted's rclpy would log one
            raise KeyboardInterrupt from error
        self._failure = error
        if self._logs_failures:
            self.get_logger().error(f'cannot be {target}: {error_text(error)}')
        if not keep:
            self._release()
        return TransitionCallbackReturn.FAILURE

    def _stop(self) -> None:
        self._lazy_subscriptions.stop()
        self._slots.pause()

    def _release(self, state: str = UNCONFIGURED) -> None:
        self._state = state         # before unloading, which may wait for a build: diagnostics are published meanwhile
        self._stop()
        for outputs in self._outputs.values():
            outputs.destroy()
        self._outputs.clear()
        self._switch.unload()

    def _receive(self) -> None:
        """Serve cameras, new subscribers and diagnostics while the executor's thread waits for a model to be built.

        :raises ExternalShutdownException: shutdown was requested, so stop waiting
        """
        if not self.context.ok():
            raise ExternalShutdownException
        for camera in self._cameras.values():
            camera.poll()
        for timer in (self._lazy_subscriptions.timer, self._diagnostics.timer):
            if timer.is_ready():
                timer.reset()
                timer.callback()

    def warning_about(self, changed: Sequence[str]) -> str:
        return self._live.warning_about(changed)

    def _status_of(self, camera: CameraInput) -> Status:
        status = self._lazy_subscriptions.status(camera, camera.status(self._slots.dropped(camera.name), self.settings.thresholds))
        outputs = self._outputs.get(camera.name)
        calibration = {} if outputs is None else {'camera info': outputs.calibration}
        return replace(status, values={**status.values, **calibration})

    def _describe(self) -> NodeState:
        active = self._switch.active
        if active is None:
            return NodeState(self._state, '', {})
        return NodeState(self._state, str(active.segmenter.device), {**active.describe(), **self._latency.values()})


def main(argv: Optional[list[str]] = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; returns the exit code, 1 if it could not start."""
    if not start_ros('segmentation_node', argv, SignalHandlerOptions.ALL):
        return 1
    node, has_started, is_closed = None, False, True
    try:
        node = SegmentationNode()
        if node.settings.autostart:
            node.start()
        has_started = True
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, RuntimeError, MemoryError, ParameterException) as error:
        if not rclpy.ok():
            pass            # shutdown was requested, which makes further ROS calls fail
        elif not has_started:
            return fail('segmentation_node', error)
        else:
            raise           # already running: not a wrong setting but a bug, so show the traceback
    finally:
        ignore_signals()
        if node is not None:
            is_closed = node.close()
        shut_down()
    if not is_closed:
        leave()
    return 0
