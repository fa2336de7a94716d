# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""int8 where it is faster and labels the user's own frames as float32 does, else float32."""
from __future__ import annotations

import logging
from itertools import islice
from typing import Iterator, Sequence

import numpy as np
import torch

from fanet_ros.host.background_load import BackgroundLoad
from fanet_ros.inference.engines.choices import EngineChoices
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.factory import EngineFactory
from fanet_ros.inference.engines.fastest import least_time
from fanet_ros.inference.engines.kept_frames import KeptFrames
from fanet_ros.inference.engines.network_setup import CalibrationImages, NetworkSetup
from fanet_ros.inference.engines.onnx_model import frames_digest
from fanet_ros.inference.postprocess import labels_and_confidence

MIN_AGREEMENT = 0.995       # share of the pixels with equal labels
LOG = logging.getLogger(__name__)


class CheckedFactory:
    """An EngineFactory that chooses the precision for each resolution: int8 is calibrated on every other frame and compared with
    float32 on the rest. What it chose is remembered.

    :param full: builds engines in float32
    :param engine: see EngineFactory
    :param frames: from the user's camera
    :raises EngineError: the engine does not run in int8
    """

    def __init__(self, full: EngineFactory, engine: str, frames: CalibrationImages) -> None:
        self._full, self._frames = full, KeptFrames(frames)
        self._lower = EngineFactory(full.setup.network, full.setup.device, engine, 'int8', self._calibration)

    @property
    def setup(self) -> NetworkSetup:
        """That of the engines in float32."""
        return self._full.setup

    def build(self, height: int, width: int, batch: int = 1, *, quick: bool = False) -> Engine:
        """See EngineFactory.build().

        :param quick: float32, with `is_provisional` set
        """
        if quick:
            engine = self._full.build(height, width, batch, quick=True)
            engine.is_provisional = True
            return engine
        with self._frames.kept():
            return self._chosen(height, width, batch)

    def _chosen(self, height: int, width: int, batch: int) -> Engine:
        frames = list(self._frames(height, width))
        key = f'{self._lower.situation}, {height}x{width}, weights {self.setup.digest}, frames {frames_digest(frames)}'
        chosen = EngineChoices().get(key)
        if chosen is not None:
            return (self._lower if chosen == 'int8' else self._full).build(height, width, batch)
        full = self._full.build(height, width, batch)
        try:
            lower = self._lower.build(height, width, batch)
        except EngineError as error:
            LOG.info(f'precision stays float32: {error}')
            return full
        return self._better(full, lower, [torch.from_numpy(frame) for frame in frames[1::2]], key)

    def _better(self, full: Engine, lower: Engine, frames: Sequence[torch.Tensor], key: str) -> Engine:
        load = BackgroundLoad()
        share = agreement(full, lower, frames)
        is_equal = share >= MIN_AGREEMENT
        chosen = least_time({'float32': full, 'int8': lower}, frames[0]) if is_equal else 'float32'
        EngineChoices().put(key, chosen, load.busy_cores() if is_equal else 0.0)
        reason = '' if is_equal else f', {MIN_AGREEMENT:.1%} are required'
        LOG.info(f'precision {chosen}: int8 gives {share:.2%} of the pixels of {len(frames)} of your frames the same label{reason}')
        return lower if chosen == 'int8' else full

    def _calibration(self, height: int, width: int) -> Iterator[np.ndarray]:
        return islice(self._frames(height, width), 0, None, 2)


def agreement(one: Engine, other: Engine, frames: Sequence[torch.Tensor]) -> float:
    """Share of the pixels that both label equally, 0..1.

    :param frames: at least one, each (1, 3, h, w) float32, normalised; compared at this size
    """
    def labels(engine: Engine, frame: torch.Tensor) -> np.ndarray:
        height, width = frame.shape[2:]
        return labels_and_confidence(engine(frame), (height, width), False)[0]
    return float(np.mean([labels(one, frame) == labels(other, frame) for frame in frames]))
