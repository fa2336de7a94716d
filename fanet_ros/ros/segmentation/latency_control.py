# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the latency budget: feeds each frame's latency to the ladder, and applies the steps it decides."""
from __future__ import annotations

import threading
from typing import Callable, Optional

from fanet_ros.ros.segmentation.latency_ladder import LatencyLadder, Step
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


class LatencyControl:
    """Adapts the resolution to `latency_budget_ms` along `resolution_ladder`; does nothing while the budget is 0. Thread-safe.

    While the budget is kept, the models of the other scales are built, one per window, so that a step takes no time when the
    machine is busy. Frames during a step or such a build do not count.

    :param log: called with one sentence for every step
    """

    def __init__(self, switch: ModelSwitch, log: Callable[[str], None]) -> None:
        self._switch, self._log = switch, log
        self._lock = threading.Lock()
        self._ladder: Optional[LatencyLadder] = None
        self._requested: tuple[float, tuple[float, ...]] = (0.0, ())
        self._is_building = False
        self._steps = 0
        self._last_step = ''

    def configure(self, settings: SegmentationSettings) -> None:
        """Apply new `settings`; a budget of 0 restores the full resolution."""
        requested = settings.latency_budget_ms, settings.resolution_ladder
        with self._lock:
            if requested == self._requested:
                return
            self._requested = requested
            active = self._switch.active
            scale = 1.0 if active is None else active.scale
            self._ladder = LatencyLadder(requested[1], requested[0], scale) if requested[0] else None
            is_elsewhere = scale != 1.0 or self._is_building        # a step may be under way
            self._is_building = False
        if not requested[0] and is_elsewhere:
            self._make(Step(1.0, 'latency budget removed'), None)

    def restart(self) -> None:
        """Start again at full resolution, after a model has been loaded."""
        with self._lock:
            budget_ms, scales = self._requested
            self._ladder = LatencyLadder(scales, budget_ms) if budget_ms else None
            self._is_building, self._last_step = False, ''

    def add(self, latency_ms: float, scale: float) -> None:
        """Count a frame, and start a step if one is due. Never blocks.

        :param scale: of its model; those that were still on their way when the resolution changed do not count
        """
        with self._lock:
            ladder = self._ladder
            if ladder is None or self._is_building or scale != ladder.scale:
                return
            step = ladder.add(latency_ms)
            self._is_building = step is not None or ladder.is_calm
        if step is not None:
            self._make(step, ladder)
        elif ladder.is_calm:
            self._stand_by(ladder)

    def values(self) -> dict[str, str]:
        """Key-value pairs for diagnostics; empty if there is no budget and no step was ever made."""
        with self._lock:
            values = {}
            if self._ladder is not None:
                values['latency budget [ms]'] = f'{self._ladder.budget_ms:g}'
                if self._ladder.p95_ms is not None:
                    values['latency p95 [ms]'] = f'{self._ladder.p95_ms:.2f}'
            if self._ladder is not None or self._steps:
                values['resolution steps'] = str(self._steps)
                values['last resolution step'] = self._last_step
            return values

    def _stand_by(self, ladder: LatencyLadder) -> None:
        def done(scale: Optional[float], error: Optional[BaseException]) -> None:
            with self._lock:
                if ladder is self._ladder:
                    self._is_building = False
                    if scale is not None:
                        ladder.failed(scale)
            if scale is not None:
                self._log(f'resolution scale {scale:g} is not available: {error}')
        self._switch.stand_by(ladder.others, done)

    def _make(self, step: Step, ladder: Optional[LatencyLadder]) -> None:
        def done(moved: bool, error: Optional[BaseException]) -> None:
            with self._lock:
                if ladder is self._ladder:
                    self._is_building = False
                    if ladder is not None and error is not None:
                        ladder.failed(step.scale)
                if moved and self._ladder is not None:      # another one, if the budget was changed meanwhile
                    self._ladder.moved(step.scale)
                if moved:
                    self._steps += 1
                    self._last_step = f'to {step.scale:g}: {step.reason}'
            if moved or error is not None:
                active = self._switch.active
                outcome = error if active is None or error is not None else active.segmenter.description
                self._log(f'resolution scale to {step.scale:g}, {step.reason}: {outcome}')
        self._switch.rescale(step.scale, done)
