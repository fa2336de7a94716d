# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Keeps the latency budget: feeds the ladder with every frame and has its steps made."""
from __future__ import annotations

import threading
from typing import Callable, Optional

from fanet_ros.ros.segmentation.latency_ladder import LatencyLadder, Step
from fanet_ros.ros.segmentation.model_switch import ModelSwitch
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


class LatencyControl:
    """Steps the resolution by `latency_budget_ms` and `resolution_ladder`; does nothing while the budget is 0.

    :param log: is told of every step, in a sentence
    """

    def __init__(self, switch: ModelSwitch, log: Callable[[str], None]) -> None:
        self._switch, self._log = switch, log
        self._lock = threading.Lock()
        self._ladder: Optional[LatencyLadder] = None
        self._wanted: tuple[float, tuple[float, ...]] = (0.0, ())
        self._is_stepping = False
        self._steps = 0
        self._last_step = ''

    def configure(self, settings: SegmentationSettings) -> None:
        """Follow `settings`; with a budget of 0 the resolution goes back to the full one."""
        wanted = settings.latency_budget_ms, settings.resolution_ladder
        with self._lock:
            if wanted == self._wanted:
                return
            self._wanted = wanted
            active = self._switch.active
            scale = 1.0 if active is None else active.scale
            self._ladder = LatencyLadder(wanted[1], wanted[0], scale) if wanted[0] else None
            self._is_stepping = False
        if not wanted[0] and scale != 1.0:
            self._make(Step(1.0, 'there is no budget any more'), None)

    def restart(self) -> None:
        """Begin anew, at the full resolution: another model has been loaded."""
        with self._lock:
            budget_ms, scales = self._wanted
            self._ladder = LatencyLadder(scales, budget_ms) if budget_ms else None
            self._is_stepping, self._last_step = False, ''

    def add(self, latency_ms: float) -> None:
        """Count a frame, and begin a step if it is time for one. Never waits."""
        with self._lock:
            ladder = self._ladder
            if ladder is None or self._is_stepping:
                return
            step = ladder.add(latency_ms)
            self._is_stepping = step is not None
        if step is not None:
            self._make(step, ladder)

    def values(self) -> dict[str, str]:
        """For diagnostics; empty while there is no budget and none has been followed."""
        with self._lock:
            values = {}
            if self._ladder is not None:
                values['latency budget [ms]'] = f'{self._ladder.budget_ms:g}'
                if self._ladder.p95_ms is not None:
                    values['latency p95 of the last window [ms]'] = f'{self._ladder.p95_ms:.2f}'
            if self._ladder is not None or self._steps:
                values['resolution steps'] = str(self._steps)
                values['last resolution step'] = self._last_step
            return values

    def _make(self, step: Step, ladder: Optional[LatencyLadder]) -> None:
        def done(moved: bool, error: Optional[BaseException]) -> None:
            with self._lock:
                if ladder is self._ladder:
                    self._is_stepping = False
                    if ladder is not None and moved:
                        ladder.moved(step.scale)
                    elif ladder is not None and error is not None:
                        ladder.failed(step.scale)
                if moved:
                    self._steps += 1
                    self._last_step = f'to {step.scale:g}: {step.reason}'
            if moved or error is not None:
                active = self._switch.active
                outcome = error if active is None or error is not None else active.segmenter.description
                self._log(f'resolution to {step.scale:g} of the full one, {step.reason}: {outcome}')
        self._switch.rescale(step.scale, done)
