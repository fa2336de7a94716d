# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Changes of the node's parameters while it runs: all of one request are applied, or none."""
from __future__ import annotations

import time
from typing import Mapping, Sequence

from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter

from fanet_ros.error_text import error_text
from fanet_ros.ros.common.parameters import FittedParameters
from fanet_ros.ros.segmentation.camera_input import CameraInput
from fanet_ros.ros.segmentation.frame_outputs import FrameOutputs
from fanet_ros.ros.segmentation.latency_control import LatencyControl
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


class LiveSettings:
    """The settings in use, `current`, which follow the parameters of `node`.

    :param settings: at start-up
    :param switch: builds another model if a change requires one; the request is answered once that is in use
    :param cameras: by name
    :param outputs: by name of the camera; may be empty, and filled later
    """

    def __init__(self, node: FittedParameters, settings: SegmentationSettings, switch: ModelSwitch, latency: LatencyControl,
                 cameras: Mapping[str, CameraInput], outputs: Mapping[str, FrameOutputs]) -> None:
        self._node, self._switch, self._latency = node, switch, latency
        self._cameras, self._outputs = cameras, outputs
        self.current = settings
        latency.configure(settings)
        node.add_on_set_parameters_callback(self._on_set_parameters)

    def limit_rates(self) -> None:
        for camera in self._cameras.values():
            camera.rate_limit.max_hz = self.current.max_rate_hz
        for outputs in self._outputs.values():
            outputs.overlay_rate_limit.max_hz = self.current.overlay_max_rate_hz

    def warning_about(self, changed: Sequence[str]) -> str:
        """Warn about a precision that the device emulates, see FittedParameters."""
        active = self._switch.active
        if active is None or 'precision' not in changed:
            return ''
        from fanet_ros.inference.device import why_slow  # it needs torch, which a changed precision has loaded
        return why_slow(self.current.precision, active.segmenter.device)

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Apply all changes or none; a refusal includes the reason."""
        log = self._node.get_logger()
        try:
            settings = self.current.changed(parameters)
            started, clients = time.monotonic(), self._node.count_setting_clients()
            is_other_model = self._switch.change(settings)
        except Exception as error:      # any failure to build means that the new values are unusable
            reason = error_text(error)
            log.warning(f'parameters unchanged: {reason}')
            return SetParametersResult(successful=False, reason=reason)
        if is_other_model:
            log.info(f'now segmenting with {self._switch.loaded.segmenter.description}, '
                     f'{time.monotonic() - started:.1f} s after the request')
            if clients and not self._node.count_setting_clients():
                log.warning('the client that requested the change has gone without waiting; it was applied anyway')
        self.current = settings
        self._latency.configure(settings)
        self.limit_rates()
        for outputs in self._outputs.values():
            if not outputs.has_subscribers:         # no mask, hence no frame, will announce the classes soon
                outputs.announce(self._switch.loaded.style)
        return SetParametersResult(successful=True)
