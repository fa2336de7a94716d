# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Engines that run the network: one small interface, and one class per runtime that declares what it supports (`engine_kind`).

`torch_engine` is always available; `compiled_engine` needs a C++ compiler, `onnx_engine` onnx and onnxruntime,
`onnx_gpu_engine` onnxruntime-gpu (and TensorRT), `openvino_engine` openvino in addition, `ncnn_engine` ncnn and pnnx.
`registry` lists them, `factory` builds the requested one, or the fastest on this machine.
"""
from typing import TYPE_CHECKING

from fanet_ros.imports import imported_on_use

if TYPE_CHECKING:
    from fanet_ros.inference.engines.checked_precision import CheckedFactory
    from fanet_ros.inference.engines.engine import Engine, EngineError
    from fanet_ros.inference.engines.factory import EngineFactory
    from fanet_ros.inference.engines.registry import (
        engines_for,
        engines_on,
        installed_engines,
        precisions_of,
        require_engine,
        runtimes,
    )
else:       # what is cached can be read without torch, which all of these need
    __getattr__ = imported_on_use(__name__, {
        'checked_precision': ['CheckedFactory'],
        'engine': ['Engine', 'EngineError'],
        'factory': ['EngineFactory'],
        'registry': ['engines_for', 'engines_on', 'installed_engines', 'precisions_of', 'require_engine', 'runtimes'],
    })

__all__ = ['CheckedFactory', 'Engine', 'EngineError', 'EngineFactory', 'engines_for', 'engines_on', 'installed_engines',
           'precisions_of', 'require_engine', 'runtimes']
