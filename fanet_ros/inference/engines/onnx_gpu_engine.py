# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime on a GPU, by its CUDA or its TensorRT provider; frames and logits stay there."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np
import torch

from fanet_ros.inference.engines import onnx_engine
from fanet_ros.inference.engines.cache import cache_directory
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.onnx_engine import CalibrationImages, cached_model, is_available
from fanet_ros.model import FANet

PROVIDERS = {'onnxruntime': 'CUDAExecutionProvider', 'tensorrt': 'TensorrtExecutionProvider'}
WARM_UP_RUNS = 3


class OnnxGpuEngine(Engine):
    """A session whose input and output are tensors on `device`.

    TensorRT builds its engine on the first start, which takes minutes, and keeps it in the cache: by weights, resolution,
    batch and precision, and for this GPU and version of ONNX Runtime.

    :param name: a key of PROVIDERS
    :param calibration: for int8, the frames to calibrate on
    :raises EngineError: the provider is not installed or does not start, nothing to calibrate on
    """

    def __init__(self, name: str, network: FANet, device: torch.device, precision: str, height: int, width: int,
                 calibration: Optional[CalibrationImages] = None, batch: int = 1) -> None:
        provider = PROVIDERS[name]
        if not is_provided(name):
            raise EngineError(f"engine '{name}' on {device} needs {provider}: pip install onnx onnxruntime-gpu"
                              f"{' tensorrt' if name == 'tensorrt' else ''}, or set engine to 'torch'")
        path = cached_model(network, _made_from(name, precision), height, width, calibration, batch=batch)
        options = _tensorrt_options(path, precision, device) if name == 'tensorrt' else {}
        self._prepare(name, precision, path, provider, {'device_id': device.index or 0, **options}, device)

    def _prepare(self, name: str, precision: str, path: Path, provider: str, options: dict[str, Any],
                 device: torch.device) -> None:
        import onnxruntime
        self.name, self.precision, self._device = name, precision, device
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(path), settings, providers=[(provider, options)])
        if self._session.get_providers()[0] != provider:
            raise EngineError(f"engine '{name}': {provider} does not start on {device}, see ONNX Runtime's requirements for "
                              "the versions of CUDA, cuDNN and TensorRT that it wants; or set engine to 'torch'")
        binding = self._binding = self._session.io_binding()
        self._input = self._bind(binding.bind_input, self._session.get_inputs()[0])
        self._output = self._bind(binding.bind_output, self._session.get_outputs()[0])
        for _ in range(WARM_UP_RUNS):
            self(self._input)

    def _bind(self, bind: Any, value: Any) -> torch.Tensor:
        """A tensor on the device that the session reads or writes `value` in."""
        dtype = torch.float16 if 'float16' in value.type else torch.float32
        tensor = torch.zeros(value.shape, dtype=dtype, device=self._device)
        element = str(dtype).rsplit('.', 1)[-1]
        bind(value.name, self._device.type, self._device.index or 0, np.dtype(element), tuple(value.shape),
             tensor.data_ptr())
        return tensor

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self._input.copy_(images)
        if self._device.type == 'cuda':         # the session works on a stream of its own, and waits for that itself
            torch.cuda.current_stream(self._device).synchronize()
        self._session.run_with_iobinding(self._binding)
        return self._output


def is_provided(name: str) -> bool:
    """Whether ONNX Runtime is installed with the provider of `name`, a key of PROVIDERS."""
    if not is_available():
        return False
    import onnxruntime
    return PROVIDERS[name] in onnxruntime.get_available_providers()


def _made_from(name: str, precision: str) -> str:
    """Precision of the file: TensorRT lowers it by itself, where that is exact enough; the CUDA provider runs it as it is."""
    return 'float32' if name == 'tensorrt' and precision != 'int8' else precision


def is_cached(name: str, network: FANet, precision: str, height: int, width: int) -> bool:
    """Whether what the engine is made from is there already, in a precision other than int8.

    Of TensorRT's own engines, which hang on the GPU too, it is not known: they count as absent.
    """
    return name != 'tensorrt' and onnx_engine.is_cached(network, _made_from(name, precision), height, width)


def _tensorrt_options(path: Path, precision: str, device: torch.device) -> dict[str, Any]:
    import onnxruntime
    gpu = torch.cuda.get_device_name(device).replace(' ', '_')
    folder = cache_directory() / 'tensorrt' / f'{path.stem}_{precision}_{gpu}_{onnxruntime.__version__}'
    folder.mkdir(parents=True, exist_ok=True)
    return {'trt_engine_cache_enable': True, 'trt_engine_cache_path': str(folder), 'trt_timing_cache_enable': True,
            'trt_timing_cache_path': str(folder.parent), 'trt_fp16_enable': precision in ('float16', 'int8'),
            'trt_int8_enable': precision == 'int8'}
