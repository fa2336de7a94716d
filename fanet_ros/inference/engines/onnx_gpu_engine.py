# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on a GPU, with its CUDA or TensorRT provider; frames and logits stay on the GPU."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from fanet_ros.inference.engines.cache import cache_directory, touch
from fanet_ros.inference.engines.cached_files import loaded
from fanet_ros.inference.engines.engine import EngineError
from fanet_ros.inference.engines.engine_kind import EngineKind, can_import
from fanet_ros.inference.engines.network_setup import NetworkSetup
from fanet_ros.inference.engines.onnx_model import ONNX_PACKAGES, cached_model, found_in_cache, is_whole

WARM_UP_RUNS = 3


class OnnxGpuEngine(EngineKind):
    """A session of `provider` whose input and output are tensors on the device.

    :raises EngineError: the provider does not start; too few frames to calibrate int8 on
    """

    name = runtime = 'onnxruntime'
    packages: tuple[str, ...] = ('onnx', 'onnxruntime-gpu')
    devices = ('cuda',)
    precisions: tuple[str, ...] = ('float32', 'float16')
    gains_by_batches_on = ('cuda',)
    provider = 'CUDAExecutionProvider'

    def __init__(self, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> None:
        precision, device = setup.precision, setup.device

        def prepare(path: Path) -> None:
            self._prepare(precision, path, {'device_id': device.index or 0, **self._options(path, precision, device)}, device)
        loaded(lambda: [cached_model(setup, self._made_from(precision), height, width, batch=batch)], prepare, is_whole)

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        return found_in_cache(setup, cls._made_from(setup.precision), height, width) is not None

    @classmethod
    def why_missing(cls) -> str:
        if all(map(can_import, ONNX_PACKAGES)):
            import onnxruntime
            if cls.provider in onnxruntime.get_available_providers():
                return ''
        return f"engine '{cls.name}' on a GPU needs {cls.provider}: pip install {' '.join(cls.packages)}"

    @classmethod
    def _made_from(cls, precision: str) -> str:
        """Precision of the ONNX file that it is built from."""
        return precision

    @classmethod
    def _options(cls, path: Path, precision: str, device: torch.device) -> dict[str, Any]:
        """Options of the provider, apart from the device."""
        return {}

    def _prepare(self, precision: str, path: Path, options: dict[str, Any], device: torch.device) -> None:
        import onnxruntime
        self.precision, self._device = precision, device
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), settings, providers=[(self.provider, options)])
        if self._session.get_providers()[0] != self.provider:
            raise EngineError(f"engine '{self.name}': {self.provider} does not start on {device}: see ONNX Runtime's requirements "
                              "for the versions of CUDA, cuDNN and TensorRT, or set engine to 'torch'")
        binding = self._binding = self._session.io_binding()
        self._input = self._bind(binding.bind_input, self._session.get_inputs()[0])
        self._output = self._bind(binding.bind_output, self._session.get_outputs()[0])
        for _ in range(WARM_UP_RUNS):
            self(self._input)

    def _bind(self, bind: Any, value: Any) -> torch.Tensor:
        """Bind `value` of the session to a new tensor on the device, and return the tensor."""
        dtype = torch.float16 if 'float16' in value.type else torch.float32
        tensor = torch.zeros(value.shape, dtype=dtype, device=self._device)
        element = str(dtype).rsplit('.', 1)[-1]
        bind(value.name, self._device.type, self._device.index or 0, np.dtype(element), tuple(value.shape),
             tensor.data_ptr())
        return tensor

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self._input.copy_(images)
        if self._device.type == 'cuda':         # the session runs on its own stream, and waits for that itself
            torch.cuda.current_stream(self._device).synchronize()
        self._session.run_with_iobinding(self._binding)
        return self._output


class TensorRtEngine(OnnxGpuEngine):
    """TensorRT through ONNX Runtime.

    The first start builds its engine, which takes minutes. The engine is cached by weights, resolution, batch, precision, GPU
    and version of ONNX Runtime.
    """

    name = 'tensorrt'
    packages = ('onnx', 'onnxruntime-gpu', 'tensorrt')
    precisions = ('float32', 'float16', 'int8')
    provider = 'TensorrtExecutionProvider'

    @classmethod
    def is_at_hand(cls, setup: NetworkSetup, height: int, width: int) -> bool:
        return False        # its engines also depend on the GPU; whether they are cached is not known

    @classmethod
    def _made_from(cls, precision: str) -> str:
        return 'int8' if precision == 'int8' else 'float32'     # TensorRT itself lowers the precision where that is accurate enough

    def _prepare(self, precision: str, path: Path, options: dict[str, Any], device: torch.device) -> None:
        super()._prepare(precision, path, options, device)
        touch(Path(options['trt_engine_cache_path']))       # only now has it its size; loading it leaves no mark on its files

    @classmethod
    def _options(cls, path: Path, precision: str, device: torch.device) -> dict[str, Any]:
        import onnxruntime
        gpu = torch.cuda.get_device_name(device).replace(' ', '_')
        folder = cache_directory() / 'tensorrt' / f'{path.stem}_{precision}_{gpu}_{onnxruntime.__version__}'
        folder.mkdir(parents=True, exist_ok=True)
        return {'trt_engine_cache_enable': True, 'trt_engine_cache_path': str(folder), 'trt_timing_cache_enable': True,
                'trt_timing_cache_path': str(folder.parent), 'trt_fp16_enable': precision in ('float16', 'int8'),
                'trt_int8_enable': precision == 'int8'}
