# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the rewritten network for one resolution in float32, bfloat16 or int8, on x86 and Arm processors."""
from __future__ import annotations

import torch

from fanet_ros.inference.engines.cached_files import loaded
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.onnx_model import cached_model, found_in_cache, is_whole


class OpenVinoEngine(EngineKind):
    """A compiled OpenVINO model on the CPU, from the same files as OnnxEngine except in int8.

    In int8 only the inputs of convolutions are rounded to 8 bits, not their outputs: OpenVINO fuses the activation, and the
    rounding for the next convolution, into the convolution, so sums of branches, queries and keys stay exact at no cost.

    :raises EngineError: too few frames to calibrate int8 on
    """

    name = runtime = 'openvino'
    packages = ('openvino', 'onnx', 'onnxruntime')
    devices, precisions = ('cpu',), ('float32', 'bfloat16', 'int8')
    gains_by_batches_on = ('cpu',)
    is_recommended = True

    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        self.precision = precision = setup.precision
        made_from = 'int8' if precision == 'int8' else 'float32'
        import openvino
        core = openvino.Core()
        has_bfloat16 = 'BF16' in core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
        # int8 leaves little in floating point, which may as well run at the faster of the two.
        wants_bfloat16 = precision == 'bfloat16' or (precision == 'int8' and has_bfloat16)
        options = {'PERFORMANCE_HINT': 'LATENCY', 'INFERENCE_NUM_THREADS': torch.get_num_threads(),
                   'INFERENCE_PRECISION_HINT': 'bf16' if wants_bfloat16 else 'f32'}
        compiled = loaded(lambda: [cached_model(setup, made_from, height, width, quantize_outputs=False, batch=batch)],
                          lambda path: core.compile_model(str(path), 'CPU', options), is_whole)
        self._request, self._output = compiled.create_infer_request(), compiled.output(0)
        self(torch.zeros(batch, 3, height, width))

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        # OpenVINO itself lowers the precision.
        return found_in_cache(setup, 'float32', height, width) is not None

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        outputs = self._request.infer({0: images.contiguous().numpy()}, share_inputs=True, share_outputs=True)
        return torch.from_numpy(outputs[self._output])
