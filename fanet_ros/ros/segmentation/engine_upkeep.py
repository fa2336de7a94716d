# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the fastest engine in use with engine `auto`."""
from __future__ import annotations

from typing import Callable, Optional

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fanet_ros.host.background_load import BackgroundLoad
from fanet_ros.inference.engines.choices import MAX_OTHER_CORES, EngineChoices
from fanet_ros.ros.segmentation.active_model import AnySegmenter
from fanet_ros.ros.segmentation.model_switch import ModelSwitch

CHOICE_PERIOD_S = 60.0      # how often to check for a choice that was measured under other load
STAND_IN_PERIOD_S = 1.0     # how often to check whether a provisional engine is running
STAND_IN_LOOKS = 3          # after this many checks it is replaced even if no image has arrived


class EngineUpkeep:
    """Builds engines in the background, on timers of `node`: replaces a provisional engine by the fastest one, and measures
    again, once the machine is idle, if the choice was made under other load.

    :param is_free: whether the node may choose the engine (parameter engine is auto)
    """

    def __init__(self, node: Node, switch: ModelSwitch, is_free: Callable[[], bool]) -> None:
        self._switch, self._is_free, self._log = switch, is_free, node.get_logger()
        self._load = BackgroundLoad()
        self._stand_in: Optional[AnySegmenter] = None      # the last one whose replacement was started
        self._looks = 0
        for period_s, callback in ((CHOICE_PERIOD_S, self._measure_again), (STAND_IN_PERIOD_S, self._replace_stand_in)):
            node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _measure_again(self) -> None:
        load, self._load = self._load, BackgroundLoad()
        is_quiet = load.busy_cores() <= MAX_OTHER_CORES
        if is_quiet and self._is_free() and self._switch.active is not None and EngineChoices().forget_due():
            self._switch.measure_again(self._log_running)

    def _replace_stand_in(self) -> None:
        """Wait for the first images, which take priority."""
        active = self._switch.active
        if active is None or not active.segmenter.is_provisional:
            self._looks = 0
            return
        self._looks += 1
        has_images = bool(active.segmenter.frame_sizes)
        if active.segmenter is not self._stand_in and (has_images or self._looks >= STAND_IN_LOOKS):
            self._stand_in = active.segmenter
            self._log.info(f'preparing the fastest engine; {active.segmenter.engine_description} stands in until it is ready')
            self._switch.measure_again(self._log_running)

    def _log_running(self, running: str) -> None:
        self._log.info(f'now segmenting with {running}')
