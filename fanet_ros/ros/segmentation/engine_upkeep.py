# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the fastest engine in use, where the choice is free."""
from __future__ import annotations

from typing import Callable, Optional

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fanet_ros.host.other_load import OtherLoad
from fanet_ros.inference import Segmenter
from fanet_ros.inference.engines.choices import MAX_OTHER_CORES, EngineChoices
from fanet_ros.ros.segmentation.model_switch import ModelSwitch

CHOICE_PERIOD_S = 60.0      # how often it is looked whether an engine was chosen beside other work
STAND_IN_PERIOD_S = 1.0     # likewise, whether an engine stands in for the fastest one
STAND_IN_LOOKS = 3         # after so many that is replaced even if no image has come


class EngineUpkeep:
    """Has engines built in the background, by timers of `node`: the fastest one where another was ready first and stands in
    for it, and where the choice was made beside other work, once that is over.

    :param is_free: whether the choice of the engine is left to us
    """

    def __init__(self, node: Node, switch: ModelSwitch, is_free: Callable[[], bool]) -> None:
        self._switch, self._is_free, self._log = switch, is_free, node.get_logger()
        self._load = OtherLoad()
        self._stand_in: Optional[Segmenter] = None      # the last one whose replacement has begun
        self._looks = 0
        for period_s, callback in ((CHOICE_PERIOD_S, self._measure_again), (STAND_IN_PERIOD_S, self._replace_stand_in)):
            node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _measure_again(self) -> None:
        load, self._load = self._load, OtherLoad()
        is_quiet = load.busy_cores() <= MAX_OTHER_CORES
        if is_quiet and self._is_free() and self._switch.active is not None and EngineChoices().forget_due():
            self._switch.measure_again(self._log_running)

    def _replace_stand_in(self) -> None:
        """After the first images, which come first."""
        active = self._switch.active
        if active is None or not active.segmenter.is_provisional:
            self._looks = 0
            return
        self._looks += 1
        has_images = bool(active.segmenter.frame_sizes)
        if active.segmenter is not self._stand_in and (has_images or self._looks >= STAND_IN_LOOKS):
            self._stand_in = active.segmenter
            self._log.info(f'the fastest engine is prepared while {active.segmenter.engine_description} stands in for it')
            self._switch.measure_again(self._log_running)

    def _log_running(self, running: str) -> None:
        self._log.info(f'now segmenting with {running}')
