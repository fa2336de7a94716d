# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Builds the requested engine or, with 'auto', the fastest on this machine."""
from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import Optional

import torch

from fanet_ros.inference.device import why_slow
from fanet_ros.inference.engines.batch_engine import BatchEngine, batch_sizes
from fanet_ros.inference.engines.cached_files import CacheError
from fanet_ros.inference.engines.engine import Engine
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.fastest import find_fastest, known_fastest, situation
from fanet_ros.inference.engines.kept_frames import KeptFrames
from fanet_ros.inference.engines.network_setup import CalibrationImages, NetworkSetup
from fanet_ros.inference.engines.registry import engines_for, resolved_precision
from fanet_ros.model import FANet

LOG = logging.getLogger(__name__)


class EngineFactory:
    """Builds engines of one network for any resolution.

    :param engine: one of ENGINES
    :param precision: one of PRECISIONS; auto: float16 on CUDA, float32 on the CPU (CheckedFactory may choose int8)
    :param calibration: frames to calibrate int8 on
    :param needs_video: the engine must be able to attend to earlier frames
    :raises EngineError: unknown names, or an unsupported combination
    """

    def __init__(self, network: FANet, device: torch.device, engine: str = 'auto', precision: str = 'auto',
                 calibration: Optional[CalibrationImages] = None, *, needs_video: bool = False) -> None:
        self._kinds = engines_for(device, engine, precision, needs_video=needs_video)
        precision = resolved_precision(precision, device)
        if warning := why_slow(precision, device):
            LOG.warning(f'{warning}: set precision to auto')
        self._frames = None if calibration is None else KeptFrames(calibration)
        self.setup = NetworkSetup(network, device, precision, self._frames, needs_video)

    @property
    def situation(self) -> str:
        """Network, precision, engines and machine, as a text."""
        return situation(self.setup, self._kinds)

    def build(self, height: int, width: int, batch: int = 1, *, quick: bool = False) -> Engine:
        """Build an engine for (N, 3, height, width) and warm it up.

        :param batch: the largest N; smaller ones work, too
        :param quick: do not wait for measurements or conversions: with a choice of engines, PyTorch stands in for the fastest
            one, with `is_provisional` set
        :raises EngineError: it cannot be built
        :raises RuntimeError: it does not run, for lack of memory for example
        """
        stand_in = self._stand_in(height, width) if quick else None
        if stand_in is not None:
            engine = stand_in.build(self.setup, height, width)
            engine.is_provisional = True
            return engine       # for one image at a time, whatever `batch`: it is temporary
        with nullcontext() if self._frames is None else self._frames.kept():
            return self._for_batches(height, width, batch)

    def _for_batches(self, height: int, width: int, batch: int) -> Engine:
        single = self._single(height, width)
        if batch == 1 or single.takes_any_number:
            return single
        pays = self.setup.device.type in self._kinds[single.name].gains_by_batches_on
        larger = [size for size in batch_sizes(batch) if size > 1 and pays]
        return BatchEngine({1: single, **{size: self._engine(single.name, height, width, size) for size in larger}})

    def _stand_in(self, height: int, width: int) -> Optional[type[EngineKind]]:
        """The engine to run at once where _single() would take longer; None if it would not, or there is none."""
        able = next((kind for kind in self._kinds.values() if kind.stands_in), None)
        if len(self._kinds) == 1 or able is None:
            return None
        chosen = known_fastest(self.setup, self._kinds)
        return None if chosen is not None and self._kinds[chosen].is_at_hand(self.setup, height, width) else able

    def _single(self, height: int, width: int) -> Engine:
        """Engine for one image at a time: the fastest of the kinds."""
        if len(self._kinds) == 1:
            return self._engine(next(iter(self._kinds)), height, width, 1)
        chosen = known_fastest(self.setup, self._kinds)
        if chosen is not None:
            try:
                return self._engine(chosen, height, width, 1)
            except CacheError as error:     # others may need no space
                LOG.warning(f'{chosen} cannot be used: {error}')
        return find_fastest(self.setup, self._kinds, height, width, lambda name: self._engine(name, height, width, 1))

    def _engine(self, name: str, height: int, width: int, batch: int) -> Engine:
        kind = self._kinds[name]
        kind.require()
        return kind.build(self.setup, height, width, batch)
