# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Engines that run the network: one small interface, and one class per runtime that declares what it supports (`engine_kind`).

`torch_engine` is always available; `compiled_engine` needs a C++ compiler, `onnx_engine` onnx and onnxruntime,
`onnx_gpu_engine` onnxruntime-gpu (and TensorRT), `openvino_engine` openvino in addition, `ncnn_engine` ncnn and pnnx.
`registry` lists them, `factory` builds the requested one, or the fastest on this machine.
"""
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.factory import EngineFactory
from fanet_ros.inference.engines.registry import engines_for, engines_on, installed_engines, runtimes

__all__ = ['Engine', 'EngineError', 'EngineFactory', 'engines_for', 'engines_on', 'installed_engines', 'runtimes']
