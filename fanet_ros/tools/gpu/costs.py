# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the time goes: kernel by kernel, and compared with the unavoidable arithmetic and memory traffic."""
from __future__ import annotations

from functools import partial
from typing import Any, Callable

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from fanet_ros.inference import FrameInput, Segmenter, SegmenterOptions, gpu
from fanet_ros.inference.engines.network_setup import DTYPES, rewritten_network
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.inference.gpu import GraphPool
from fanet_ros.model import FANet
from fanet_ros.model.rewrites import InferenceFANet
from fanet_ros.tools.benchmark.setup import Size, random_network
from fanet_ros.tools.gpu.card import limits, median_ms
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings

TABLE_ROWS = 25


def run(settings: StepSettings, figures: Figures) -> None:
    """Write the limits of the card, the network's share of them and its measured time, and its slowest kernels."""
    card = limits(settings)
    figures.add('card', **card)
    size = settings.sizes[-1]
    for variant in ('fanet18', 'fanet34'):
        plain = random_network(variant)
        network = rewritten_network(plain, settings.device, settings.precision)
        needed = needs(plain, settings.precision, size)
        pool = None if settings.is_rehearsal else GraphPool(settings.device)
        engine = TorchEngine(network, settings.device, settings.precision, *size, pool=pool)
        images = torch.rand(1, 3, *size, device=settings.device).contiguous(memory_format=torch.channels_last)
        measured_ms = median_ms(settings, partial(engine, images), burst=settings.pick(50, 1))
        arithmetic_ms = needed['flop'] / 1e9 / card[f'{settings.precision}_tflop_s']
        figures.add('floor', variant=variant, height=size[0], width=size[1], precision=settings.precision, **needed,
                    arithmetic_ms=arithmetic_ms, least_bytes_ms=needed['least_bytes'] / 1e6 / card['copy_gb_s'],
                    bytes_ms=needed['bytes'] / 1e6 / card['copy_gb_s'], network_ms=measured_ms)
        figures.add('profile', variant=variant, of='network', height=size[0], width=size[1],
                    **profiled(settings, partial(engine, images)))
    path, weights = settings.checkpoint('fanet18_camvid')
    segmenter = Segmenter.from_checkpoint(path, SegmenterOptions(str(settings.device), 'torch', 'auto', *size))
    frame = FrameInput(settings.frames(size, 1)[0])
    figures.add('profile', variant='fanet18', of='frame to labels', weights=weights, height=size[0], width=size[1],
                **profiled(settings, lambda: segmenter.segment_batch([frame])))
    if not settings.is_rehearsal:       # last: these kernels are not in use yet
        network = rewritten_network(random_network('fanet18'), settings.device, settings.precision, fused=True)
        engine = TorchEngine(network, settings.device, settings.precision, *size, pool=GraphPool(settings.device))
        figures.add('profile', variant='fanet18', of='network, Triton between convolutions', height=size[0], width=size[1],
                    **profiled(settings, partial(engine, images)))


def needs(network: FANet, precision: str, size: Size) -> dict[str, float]:
    """Floating-point operations and two byte counts for one image, from a dry run on meta tensors.

    `least_bytes`: weights, image and logits once. `bytes`: everything that each operation reads and writes, once each,
    without fusion.
    """
    rewritten = InferenceFANet(network).eval().to(device='meta', dtype=DTYPES[precision])
    images = torch.empty(1, 3, *size, device='meta', dtype=DTYPES[precision])
    with torch.inference_mode():
        rewritten(images)       # fills the caches for this size
        with FlopCounterMode(display=False) as flop, _Traffic() as traffic:
            logits = rewritten(images)
    weights = sum(_bytes(item) for item in rewritten.state_dict().values())
    return {'flop': float(flop.get_total_flops()), 'bytes': float(traffic.bytes), 'operations': traffic.operations,
            'least_bytes': float(weights + _bytes(images) + _bytes(logits))}


class _Traffic(TorchDispatchMode):
    """Counts the bytes of the inputs and outputs of every operation, views excluded."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.operations = 0, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if not any(item.alias_info is not None and not item.alias_info.is_write for item in func._schema.returns):
            self.operations += 1
            self.bytes += sum(_bytes(item) for item in tree_leaves((args, kwargs, found)) if isinstance(item, torch.Tensor))
        return found


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def profiled(settings: StepSettings, work: Callable[[], object]) -> dict[str, Any]:
    """Kernels of one run of `work`: their number, and the slowest; in a rehearsal, PyTorch's operations on the CPU."""
    runs = settings.pick(20, 1)
    work()
    gpu.synchronize(settings.device)
    activities = [ProfilerActivity.CPU] if settings.is_rehearsal else [ProfilerActivity.CPU, ProfilerActivity.CUDA]
    with profile(activities=activities) as recorded:
        for _ in range(runs):
            work()
        gpu.synchronize(settings.device)
    kind = torch.autograd.DeviceType.CPU if settings.is_rehearsal else torch.autograd.DeviceType.CUDA
    rows = [(item.key, item.count / runs, (item.self_cpu_time_total if settings.is_rehearsal
                                           else item.self_device_time_total) / runs)
            for item in recorded.key_averages() if item.device_type == kind]
    rows.sort(key=lambda row: -row[2])
    return {'kernels': sum(row[1] for row in rows), 'kernels_us': sum(row[2] for row in rows),
            'launches': _calls(recorded, 'cudaLaunchKernel', 'cuLaunchKernel') / runs,
            'graph_launches': _calls(recorded, 'cudaGraphLaunch') / runs,
            'table': [{'name': name[:160], 'number': number, 'us': us} for name, number, us in rows[:TABLE_ROWS]]}


def _calls(recorded: profile, *prefixes: str) -> int:
    """Number of calls of driver functions whose names start with one of `prefixes`."""
    return sum(item.count for item in recorded.key_averages() if item.key.startswith(prefixes))
