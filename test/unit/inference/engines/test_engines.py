# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every engine matches the network; the factory rejects invalid requests and remembers which engine was the fastest."""
from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
import torch

from fanet_ros.inference import device as device_module
from fanet_ros.inference.engines import EngineError, EngineFactory, installed_engines, ncnn_engine, onnx_model, registry
from fanet_ros.inference.engines import cache as engine_cache
from fanet_ros.inference.engines import network_setup as network_setup_module
from fanet_ros.inference.engines.compiled_engine import CompiledEngine
from fanet_ros.inference.engines.ncnn_engine import NcnnEngine
from fanet_ros.inference.engines.network_setup import NetworkSetup, rewritten_network
from fanet_ros.inference.engines.onnx_engine import OnnxEngine
from fanet_ros.inference.engines.onnx_gpu_engine import OnnxGpuEngine, TensorRtEngine
from fanet_ros.inference.engines.openvino_engine import OpenVinoEngine
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.model import FANet

CPU = torch.device('cpu')
HEIGHT, WIDTH = 64, 96
needs_onnx = pytest.mark.skipif(not OnnxEngine.is_available(), reason='onnx and onnxruntime are not installed')
needs_ncnn = pytest.mark.skipif(not NcnnEngine.is_available(), reason='ncnn and pnnx are not installed')
needs_openvino = pytest.mark.skipif(not OpenVinoEngine.is_available(), reason='openvino is not installed')


@pytest.fixture(name='network', scope='module')
def network_fixture() -> FANet:
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        network = FANet(7, 'resnet18', 'paper').train()
        for _ in range(3):
            network(torch.randn(4, 3, HEIGHT, WIDTH))
        return network.eval()


@pytest.fixture(name='images')
def images_fixture() -> torch.Tensor:
    return torch.randn(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(5))


@pytest.fixture(autouse=True)
def cache_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))


def calibration(height: int, width: int) -> Iterator[np.ndarray]:
    generator = np.random.default_rng(1)
    for _ in range(10):
        yield generator.normal(size=(1, 3, height, width)).astype(np.float32)


@pytest.mark.parametrize(('engine', 'precision', 'tolerance'), [
    ('torch', 'float32', 1e-4), ('torch', 'bfloat16', 0.1),
    pytest.param('onnxruntime', 'float32', 1e-4, marks=needs_onnx),
    pytest.param('onnxruntime', 'int8', 0.25, marks=needs_onnx),
    pytest.param('openvino', 'float32', 1e-4, marks=needs_openvino),
    pytest.param('openvino', 'bfloat16', 0.1, marks=needs_openvino),
    pytest.param('openvino', 'int8', 0.25, marks=needs_openvino),
    pytest.param('ncnn', 'float32', 1e-4, marks=needs_ncnn),
    pytest.param('ncnn', 'float16', 0.1, marks=needs_ncnn)])
def test_engine_matches_the_network(
        network: FANet, images: torch.Tensor, engine: str, precision: str, tolerance: float) -> None:
    made = EngineFactory(network, CPU, engine, precision, calibration).build(HEIGHT, WIDTH)
    with torch.no_grad():
        expected = network(images)
    logits = made(images)
    frame = images.contiguous(memory_format=torch.channels_last)        # the layout of real frames: an engine may have to copy it
    assert torch.equal(made(frame).clone(), made(images))
    assert logits.shape == expected.shape and (made.name, made.precision) == (engine, precision)
    assert float((logits.float() - expected).abs().max() / expected.abs().max()) < tolerance


@pytest.mark.parametrize(('engine', 'precision', 'tolerance'), [
    ('torch', 'float32', 1e-4), pytest.param('ncnn', 'float32', 1e-4, marks=needs_ncnn),
    pytest.param('onnxruntime', 'float32', 1e-4, marks=needs_onnx),
    pytest.param('onnxruntime', 'int8', 0.3, marks=needs_onnx),
    pytest.param('openvino', 'float32', 1e-4, marks=needs_openvino)])
def test_batches_of_any_size_match_the_network(
        network: FANet, engine: str, precision: str, tolerance: float) -> None:
    made = EngineFactory(network, CPU, engine, precision, calibration).build(HEIGHT, WIDTH, batch=3)
    images = torch.randn(4, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        expected = network(images)
    for count in (1, 2, 3, 4):          # one of them has its own engine, others are split
        logits = made(images[:count])
        assert logits.shape == expected[:count].shape and made.description == f'{engine} {precision}'
        assert float((logits - expected[:count]).abs().max() / expected.abs().max()) < tolerance


@pytest.mark.slow
def test_compiled_network_matches_the_network(network: FANet) -> None:
    """With all of torch.compile except for the generation of kernels, which takes minutes here."""
    made = CompiledEngine(rewritten_network(network, CPU, 'float32'), CPU, 'float32', HEIGHT, WIDTH, batch=2, backend='aot_eager')
    images = torch.randn(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        expected = network(images)
    assert float((made(images) - expected).abs().max() / expected.abs().max()) < 1e-4
    assert made.description == 'torch_compile float32'


@pytest.mark.skipif(not os.environ.get('FANET_ROS_COMPILE'), reason='takes minutes on a CPU: FANET_ROS_COMPILE=1 runs it')
def test_compiled_kernels_match_the_network(network: FANet, images: torch.Tensor) -> None:
    made = EngineFactory(network, CPU, 'torch_compile').build(HEIGHT, WIDTH)
    with torch.no_grad():
        expected = network(images)
    assert float((made(images) - expected).abs().max() / expected.abs().max()) < 1e-4


def test_missing_compiler_is_reported_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch._inductor.config as inductor
    monkeypatch.setenv('TORCHINDUCTOR_CACHE_DIR', str(tmp_path))
    monkeypatch.setattr(inductor.cpp, 'cxx', ('no-such-compiler',))
    with pytest.raises(EngineError, match=r'cannot compile the network \(.*ompiler.*apt install g\+\+ python3-dev; or set engine'):
        CompiledEngine(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.ReLU()), CPU, 'float32', 8, 8)


def test_auto_never_uses_the_compiler(network: FANet) -> None:
    assert 'torch_compile' not in installed_engines(CPU)
    with pytest.raises(EngineError, match="a video checkpoint needs engine 'torch'"):
        EngineFactory(network, CPU, 'torch_compile', needs_video=True)
    with pytest.raises(EngineError, match='engine torch_compile runs in float32, bfloat16, float16'):
        EngineFactory(network, CPU, 'torch_compile', 'int8')


@needs_onnx
def test_exported_networks_are_cached_by_weights_and_size(network: FANet, tmp_path: Path) -> None:
    for _ in range(2):
        EngineFactory(network, CPU, 'onnxruntime').build(HEIGHT, WIDTH)
    EngineFactory(network, CPU, 'onnxruntime').build(HEIGHT, WIDTH + 32)
    digest = engine_cache.weights_digest(network)
    names = {path.name for path in (tmp_path / 'fanet_ros').glob('*.onnx') if '_optimized_' not in path.name}
    assert names == {f'{digest}_{HEIGHT}x{WIDTH + add}_float32_{onnx_model.FORMAT}.onnx' for add in (32, 0)}


def test_weights_are_hashed_once_for_all_sizes(network: FANet, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = NetworkSetup(network, CPU, 'float32')
    digest = setup.digest
    monkeypatch.delattr(network_setup_module, 'weights_digest')        # any further call would fail
    assert setup.digest == digest == engine_cache.weights_digest(network)


@needs_onnx
def test_fastest_engine_is_measured_once(network: FANet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only two engines: that all are tried is tested below.
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (TorchEngine, OnnxEngine))
    factory = EngineFactory(network, CPU)
    first = factory.build(HEIGHT, WIDTH)
    path = tmp_path / 'fanet_ros' / 'fastest_engine.json'
    content = json.loads(path.read_text())
    assert [entry['engine'] for entry in content.values()] == [first.name]
    other = 'torch' if first.name == 'onnxruntime' else 'onnxruntime'
    path.write_text(json.dumps({key: {'engine': other} for key in content}))
    assert factory.build(HEIGHT, WIDTH).name == other       # the file is trusted
    path.write_text('{ no JSON')
    assert factory.build(HEIGHT, WIDTH).name in ('torch', 'onnxruntime')


@needs_onnx
def test_quick_build_uses_torch_until_the_fastest_engine_is_ready(
        network: FANet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, 'ENGINE_KINDS', (TorchEngine, OnnxEngine))
    factory = EngineFactory(network, CPU)

    def stands_in(width: int) -> bool:
        engine = factory.build(HEIGHT, width, quick=True)
        assert engine.name == 'torch' or not engine.is_provisional
        return engine.is_provisional
    assert stands_in(WIDTH)                                     # nothing is known yet, and nothing is measured
    assert not (tmp_path / 'fanet_ros' / 'fastest_engine.json').exists()
    assert not factory.build(HEIGHT, WIDTH).is_provisional
    assert not stands_in(WIDTH)
    path = tmp_path / 'fanet_ros' / 'fastest_engine.json'
    path.write_text(json.dumps({key: {'engine': 'onnxruntime'} for key in json.loads(path.read_text())}))
    assert not stands_in(WIDTH) and stands_in(WIDTH + 32)       # known, but converted for one size only
    path.write_text(json.dumps({key: {'engine': 'torch'} for key in json.loads(path.read_text())}))
    assert not stands_in(WIDTH + 64)
    assert not EngineFactory(network, CPU, 'onnxruntime').build(HEIGHT, WIDTH + 32, quick=True).is_provisional


@pytest.mark.parametrize(('engine', 'precision', 'reason'), [
    ('tensorflow', 'auto', "engine 'tensorflow' is unknown"), ('auto', 'int4', "precision 'int4' is unknown"),
    ('torch', 'int8', 'engine torch runs in'), ('onnxruntime', 'float16', 'engine onnxruntime runs in')])
def test_unknown_or_unsupported_requests_are_rejected(network: FANet, engine: str, precision: str, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        EngineFactory(network, CPU, engine, precision)


@pytest.mark.slow
@needs_onnx
def test_int8_is_rebuilt_for_other_calibration_frames(network: FANet) -> None:
    def others(height: int, width: int) -> Iterator[np.ndarray]:
        return (3 * frame for frame in calibration(height, width))
    first, again, other = (onnx_model.cached_model(NetworkSetup(network, CPU, 'int8', frames), 'int8', HEIGHT, WIDTH)
                           for frames in (calibration, calibration, others))
    assert first == again != other and first.read_bytes() != other.read_bytes()


@needs_onnx
def test_int8_for_any_processor_never_overflows(network: FANet) -> None:
    import onnx
    path = onnx_model.cached_model(NetworkSetup(network, CPU, 'int8', calibration), 'int8', HEIGHT, WIDTH, for_any_processor=True)
    weights = [onnx.numpy_helper.to_array(item) for item in onnx.load(str(path)).graph.initializer]
    weights = [weight for weight in weights if weight.dtype == np.int8 and weight.ndim == 4]
    # Two products of an unsigned byte and a weight: with weights of 8 bits they overflow signed 16 bits.
    assert weights and 2 * 255 * max(np.abs(weight.astype(int)).max() for weight in weights) < 2**15


@needs_onnx
def test_int8_without_calibration_frames_is_rejected(network: FANet) -> None:
    with pytest.raises(EngineError, match='calibration_images'):
        EngineFactory(network, CPU, precision='int8').build(HEIGHT, WIDTH)


def test_without_other_packages_torch_is_used(network: FANet, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ('onnx', 'ncnn'):
        monkeypatch.setitem(sys.modules, module, None)          # its import fails
    assert EngineFactory(network, CPU).build(HEIGHT, WIDTH).name == 'torch'
    with pytest.raises(EngineError, match='pip install onnx onnxruntime'):
        EngineFactory(network, CPU, 'onnxruntime').build(HEIGHT, WIDTH)


@needs_ncnn
def test_auto_skips_an_engine_that_cannot_be_built(network: FANet, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise EngineError('no converter')
    monkeypatch.setattr(ncnn_engine, '_convert', fail)
    assert EngineFactory(network, CPU).build(HEIGHT, WIDTH).name != 'ncnn'
    with pytest.raises(EngineError, match='no converter'):
        EngineFactory(network, CPU, 'ncnn').build(HEIGHT, WIDTH)


@needs_onnx
def test_bound_tensors_match_the_network(network: FANet, images: torch.Tensor) -> None:
    """The I/O binding that a GPU uses, on the CPU, whose provider supports it too."""
    path = onnx_model.cached_model(NetworkSetup(network, CPU, 'float32'), 'float32', HEIGHT, WIDTH, batch=2)
    class OnTheCpu(OnnxGpuEngine):
        provider = 'CPUExecutionProvider'

    class Nowhere(OnnxGpuEngine):
        provider = 'DmlExecutionProvider'
    made = OnTheCpu.__new__(OnTheCpu)
    made._prepare('float32', path, {}, CPU)
    pair = torch.cat([images, images.flip(3)]).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = network(pair)
    for _ in range(2):
        assert float((made(pair) - expected).abs().max() / expected.abs().max()) < 1e-4
    with pytest.raises(EngineError, match='DmlExecutionProvider does not start'):
        Nowhere.__new__(Nowhere)._prepare('float32', path, {}, CPU)


@needs_onnx
def test_an_engine_of_tensorrt_counts_as_used_when_it_is_loaded(network: FANet) -> None:
    """With another provider: only the bookkeeping around TensorRT is tested."""
    class OnTheCpu(TensorRtEngine):
        provider = 'CPUExecutionProvider'
    path = onnx_model.cached_model(NetworkSetup(network, CPU, 'float32'), 'float32', HEIGHT, WIDTH)
    folder = path.with_name('tensorrt') / 'engine'
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    OnTheCpu.__new__(OnTheCpu)._prepare('float32', path, {'trt_engine_cache_path': str(folder)}, CPU)
    assert folder.stat().st_mtime >= path.stat().st_mtime


@needs_onnx
def test_half_precision_file_stores_half_precision(network: FANet) -> None:
    import onnx
    graph = onnx.load(str(onnx_model.cached_model(NetworkSetup(network, CPU, 'float16'), 'float16', HEIGHT, WIDTH))).graph
    half = onnx.TensorProto.FLOAT16
    assert graph.input[0].type.tensor_type.elem_type == graph.output[0].type.tensor_type.elem_type == half
    assert not [item.name for item in graph.initializer if item.data_type == onnx.TensorProto.FLOAT and len(item.dims) > 1]


@pytest.mark.parametrize(('engine', 'device', 'match'), [
    ('tensorrt', 'cpu', "'tensorrt' runs on a GPU, but device is cpu"),
    ('ncnn', 'cuda', "'ncnn' runs on the CPU, but device is cuda"),
    ('onnxruntime', 'cuda', 'runs in float32, float16')])
def test_engine_and_device_have_to_match(network: FANet, engine: str, device: str, match: str) -> None:
    with pytest.raises(EngineError, match=match):
        EngineFactory(network, torch.device(device), engine, 'int8' if device == 'cuda' else 'auto')


@pytest.mark.skipif(OnnxGpuEngine.is_available(), reason='onnxruntime-gpu is installed')
def test_missing_provider_says_what_to_install(network: FANet) -> None:
    with pytest.raises(EngineError, match='pip install onnx onnxruntime-gpu tensorrt, or'):
        EngineFactory(network, torch.device('cuda'), 'tensorrt').build(HEIGHT, WIDTH)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
@pytest.mark.parametrize(('engine', 'precision'), [
    ('torch', 'float32'), ('torch', 'float16'), ('torch', 'bfloat16'), ('torch_compile', 'float16')])
def test_cuda_graph_gives_the_networks_logits(network: FANet, images: torch.Tensor, engine: str, precision: str) -> None:
    device = torch.device('cuda')
    made = EngineFactory(network, device, engine, precision).build(HEIGHT, WIDTH)
    with torch.no_grad():
        expected = network(images)
    for _ in range(2):
        logits = made(images.to(device)).float().cpu()
        assert float((logits - expected).abs().max() / expected.abs().max()) < 0.1


@pytest.mark.parametrize(('flags', 'precision', 'warns'), [
    ('fpu avx2', 'bfloat16', True), ('fpu avx2 avx512_bf16', 'bfloat16', False), ('fpu avx512_bf16', 'float16', True),
    ('fpu avx2', 'float32', False)])
def test_warns_of_a_precision_that_the_processor_lacks(
        monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, flags: str, precision: str, warns: bool) -> None:
    monkeypatch.setattr(device_module, 'cpu_features', lambda: frozenset(flags.split()))
    EngineFactory(FANet(2), torch.device('cpu'), 'torch', precision)
    assert (f'has no native {precision}' in caplog.text) == warns
