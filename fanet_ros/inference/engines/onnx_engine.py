# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on the CPU: the exported network, in float32 or int8."""
from __future__ import annotations

import torch

from fanet_ros.inference.engines.cached_files import loaded
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.onnx_model import ONNX_PACKAGES, cached_model, found_in_cache, is_whole
from fanet_ros.inference.engines.onnx_session import session


class OnnxEngine(EngineKind):
    """An ONNX Runtime session on the CPU. Models are cached by weights, resolution, precision and, for int8, calibration frames.

    :raises EngineError: too few frames to calibrate int8 on
    """

    name = runtime = 'onnxruntime'
    packages = ONNX_PACKAGES
    devices, precisions = ('cpu',), ('float32', 'int8')
    gains_by_batches_on = ('cpu',)

    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        self.precision = setup.precision
        self._session = loaded(lambda: [cached_model(setup, setup.precision, height, width, batch=batch)],
                               lambda path: session(path, torch.get_num_threads()), is_whole)
        self(torch.zeros(batch, 3, height, width))

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        return found_in_cache(setup, setup.precision, height, width) is not None

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        logits, = self._session.run(None, {'images': images.contiguous().numpy()})
        return torch.from_numpy(logits)
