# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs the network: one small interface, one class for each way of doing it, which says itself what it can (`engine_kind`).

`torch_engine` is always there; `compiled_engine` needs a C++ compiler, `onnx_engine` onnx and onnxruntime, `onnx_gpu_engine`
onnxruntime-gpu (and TensorRT), `openvino_engine` openvino besides, `ncnn_engine` ncnn and pnnx. `registry` lists them, `factory`
makes the one that was asked for, or the one that is fastest on this machine.
"""
from fanet_ros.inference.engines.engine import Engine, EngineError
from fanet_ros.inference.engines.factory import EngineFactory
from fanet_ros.inference.engines.registry import engines_for, engines_on, installed_engines, runtimes

__all__ = ['Engine', 'EngineError', 'EngineFactory', 'engines_for', 'engines_on', 'installed_engines', 'runtimes']
