# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Optimised graphs of ONNX Runtime are cached, for one processor and version."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanet_ros.host import processor
from fanet_ros.inference.engines import onnx_session

onnxruntime = pytest.importorskip('onnxruntime')
onnx = pytest.importorskip('onnx')

IMAGES = np.linspace(-1, 1, 3 * 16 * 16, dtype=np.float32).reshape(1, 3, 16, 16)


@pytest.fixture(name='path')
def path_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A convolution and a rectification, which the optimisation fuses."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    weights = np.random.default_rng(0).standard_normal((16, 3, 3, 3), np.float32)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node('Conv', ['images', 'weights'], ['sums']), onnx.helper.make_node('Relu', ['sums'], ['logits'])],
        'small', [onnx.helper.make_tensor_value_info('images', onnx.TensorProto.FLOAT, IMAGES.shape)],
        [onnx.helper.make_tensor_value_info('logits', onnx.TensorProto.FLOAT, (1, 16, 14, 14))],
        [onnx.numpy_helper.from_array(weights, 'weights')])
    path = tmp_path / 'fanet_ros' / 'small.onnx'
    path.parent.mkdir()
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid('', 17)], ir_version=8), str(path))
    return path


def answer(path: Path) -> np.ndarray:
    logits, = onnx_session.session(path, 1).run(None, {'images': IMAGES})
    return logits


def test_the_second_session_uses_the_optimised_graph(path: Path) -> None:
    expected = answer(path)
    optimized = onnx_session.optimized_path(path, onnxruntime.__version__)
    assert sorted(path.parent.iterdir()) == sorted([path, optimized])
    nodes = [node.op_type for node in onnx.load(str(optimized)).graph.node]
    assert 'Relu' not in nodes
    path.write_bytes(b'damaged')            # is not read any more
    assert np.array_equal(answer(path), expected)


def test_a_damaged_optimised_graph_is_replaced(path: Path) -> None:
    expected = answer(path)
    optimized = onnx_session.optimized_path(path, onnxruntime.__version__)
    optimized.write_bytes(b'damaged')
    assert np.array_equal(answer(path), expected) and optimized.read_bytes() != b'damaged'


def test_graphs_are_for_one_processor_and_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = onnx_session.optimized_path(path, '1.0')
    assert onnx_session.optimized_path(path, '1.1') != here == onnx_session.optimized_path(path, '1.0')
    features = processor.cpu_features()
    monkeypatch.setattr(onnx_session, 'cpu_features', lambda: features ^ {'avx512f'})
    assert onnx_session.optimized_path(path, '1.0') != here
