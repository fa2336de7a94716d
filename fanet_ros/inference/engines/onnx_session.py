# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sessions of ONNX Runtime on the CPU that start fast, because the optimised graph is cached. Needs no torch."""
from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fanet_ros.atomic_file import sync_to_disk
from fanet_ros.host.processor import cpu_features, processor_name
from fanet_ros.inference.engines.cache import touch

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FORMAT = 1      # of the cached files: increment it when the options change


def session(path: Path, threads: int) -> InferenceSession:
    """A session for the ONNX file `path` of the cache; the first one stores the optimised graph next to it.

    :raises Exception: onnxruntime is not installed, or cannot load the file
    """
    import onnxruntime
    optimized = optimized_path(path, onnxruntime.__version__)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    # By default its threads keep their cores busy while they wait for work: a gain if nothing else runs, but here the next
    # frame's messages need them.
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    if optimized.is_file():
        try:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
            ready = onnxruntime.InferenceSession(str(optimized), options, providers=['CPUExecutionProvider'])
            touch(optimized)
            return ready
        except Exception:       # of any kind: the file is damaged and is written again
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # ONNX Runtime has errors of its own for a full disk; if `path` is to blame, loading it without storing anything fails too.
    with suppress(Exception), tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        options.optimized_model_filepath = str(Path(scratch) / 'optimized.onnx')
        ready = onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
        sync_to_disk(Path(options.optimized_model_filepath))
        os.replace(options.optimized_model_filepath, optimized)
        touch(optimized)
        return ready
    options.optimized_model_filepath = ''
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def optimized_path(path: Path, version: str) -> Path:
    """Where the graph optimised by this `version` of ONNX Runtime is cached.

    Its layout of the weights is only right for processors with the same vector instructions.
    """
    machine = hashlib.sha256(repr((processor_name(), sorted(cpu_features()), version)).encode()).hexdigest()[:8]
    return path.with_name(f'{path.stem}_optimized_{machine}_{FORMAT}.onnx')
