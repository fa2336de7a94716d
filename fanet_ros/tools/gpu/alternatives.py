# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Time alternative implementations side by side in one run, to guide further optimisation."""
from __future__ import annotations

import copy
from functools import partial
from itertools import cycle
from typing import Any, Callable, Optional

import numpy as np
import torch

from fanet_ros.error_text import typed_error_text
from fanet_ros.images.raw_image import RawImage
from fanet_ros.inference import draw_overlay, gpu
from fanet_ros.inference.device import in_memory_format
from fanet_ros.inference.engines.network_setup import DTYPES, rewritten_network
from fanet_ros.inference.engines.torch_engine import TorchEngine
from fanet_ros.inference.gpu import GraphPool, Recording
from fanet_ros.inference.postprocess import layer_by_layer
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model.checkpoint import IMAGENET_MEAN, IMAGENET_STD
from fanet_ros.tools.benchmark.setup import Size, random_network
from fanet_ros.tools.gpu.card import median_ms
from fanet_ros.tools.gpu.figures import Figures
from fanet_ros.tools.gpu.settings import StepSettings

CLASSES = 19


def run(settings: StepSettings, figures: Figures) -> None:
    """Time of each alternative, without pauses between runs: that of the device or, if longer, of the CPU for the launches.

    A failure is recorded as a figure too.
    """
    for size in reversed(settings.sizes):
        for stage, ways in (('network', networks(settings, size)), ('labels', postprocessing(settings, size)),
                            ('input', preprocessing(settings, size)), ('transfer', transfers(settings, size))):
            for name, make in ways.items():
                try:
                    figures.add('alternative', stage=stage, way=name, height=size[0], width=size[1],
                                ms=median_ms(settings, make(), burst=settings.pick(30, 1)))
                except Exception as error:      # skip this alternative only
                    figures.add('alternative', stage=stage, way=name, height=size[0], width=size[1], ms=None,
                                reason=typed_error_text(error, 200))


Way = Callable[[], Callable[[], object]]


def networks(settings: StepSettings, size: Size) -> dict[str, Way]:
    """FANet-18's network: as it is, and with one change each."""
    device, precision = settings.device, settings.precision
    images = torch.rand(1, 3, *size, device=device).contiguous(memory_format=torch.channels_last)
    plain = random_network('fanet18')
    pool: Optional[GraphPool] = None if settings.is_rehearsal else GraphPool(device)

    def engine(precision: str = precision, pool: Optional[GraphPool] = pool, **rewriting: bool) -> Callable[[], object]:
        if rewriting.get('fused') and settings.is_rehearsal:
            raise RuntimeError('Triton needs a GPU')
        made = TorchEngine(rewritten_network(plain, device, precision, **rewriting), device, precision,
                           *size, pool=pool)
        return lambda: made(images)

    def recorded(network: torch.nn.Module, example: torch.Tensor, search: bool) -> Callable[[], object]:
        with torch.inference_mode():
            if pool is None:
                call: Callable[..., object] = network
            else:
                call = Recording(lambda images: (network(images),), [example], pool, search=search)

        def work() -> None:
            with torch.inference_mode():
                call(example)
        return work

    def channels_first() -> Callable[[], object]:
        network = in_memory_format(rewritten_network(plain, device, precision), torch.contiguous_format)
        return recorded(network, images.to(DTYPES[precision]).contiguous(), True)

    def unsearched() -> Callable[[], object]:
        return recorded(rewritten_network(plain, device, precision), images.to(DTYPES[precision]), False)

    def unrewritten() -> Callable[[], object]:
        network = in_memory_format(copy.deepcopy(plain).to(device, DTYPES[precision]), torch.channels_last)
        return recorded(network, images.to(DTYPES[precision]), True)

    return {'as it is': engine, 'layer by layer, no graph': lambda: engine(pool=None),
            'Triton between convolutions': lambda: engine(fused=True, commute_head=False),
            'Triton between convolutions, head rewritten': lambda: engine(fused=True),
            'head as the network has it': lambda: engine(commute_head=False),
            'not rewritten at all': unrewritten, 'channels first': channels_first,
            "cuDNN's first choice of convolutions": unsearched, 'bfloat16': lambda: engine('bfloat16'),
            'float32': lambda: engine('float32')}


def postprocessing(settings: StepSettings, size: Size) -> dict[str, Way]:
    """From logits to labels, confidence and overlay."""
    device = settings.device
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(1, CLASSES, size[0] // 8, size[1] // 8, generator=generator)).to(device, DTYPES[settings.precision])
    logits = logits.contiguous(memory_format=torch.channels_last)
    frame = torch.randint(0, 255, (*size, 3), generator=generator, dtype=torch.uint8)
    palette = torch.randint(0, 255, (256, 3), generator=generator, dtype=torch.uint8)
    on_card = frame.to(device), palette.to(device), 0.5

    def triton(with_confidence: bool, *overlay: Any) -> Callable[[], object]:
        if settings.is_rehearsal:
            raise RuntimeError('Triton needs a GPU')
        from fanet_ros.inference.triton_postprocess import one_pass
        return lambda: one_pass(logits, size, with_confidence, *overlay)

    def torch_way(with_confidence: bool, *overlay: Any) -> Callable[[], object]:
        def work() -> None:
            with torch.inference_mode():
                layer_by_layer(logits, size, with_confidence, *overlay)
        return work

    def on_cpu() -> Callable[[], object]:
        labels = np.zeros(size, np.uint8)
        return lambda: draw_overlay(frame.numpy(), labels, palette.numpy(), 0.5)

    ways: dict[str, Way] = {}
    for name, way in (('Triton', triton), ('PyTorch', torch_way)):
        ways[f'{name}, labels'] = partial(way, False)
        ways[f'{name}, labels and confidence'] = partial(way, True)
        ways[f'{name}, labels, confidence and overlay'] = partial(way, True, *on_card)
    return {**ways, 'overlay by OpenCV on the CPU': on_cpu}


def preprocessing(settings: StepSettings, size: Size) -> dict[str, Way]:
    """From the camera's bytes on the device to the network's input: of the same size, and of twice that."""
    as_it_is, by_pytorch = (Preprocessor(IMAGENET_MEAN, IMAGENET_STD, settings.device, fused=fused) for fused in (True, False))
    ways: dict[str, Way] = {}
    for encoding, row_bytes, rows in (('rgb8', 3.0, 1.0), ('nv12', 1.0, 1.5), ('bayer_rggb8', 1.0, 1.0)):
        for what, factor in (('same size', 1), ('from twice the size', 2)):
            height, width = factor * size[0], factor * size[1]
            data = np.random.default_rng(0).integers(0, 255, (int(rows * height), int(row_bytes * width)), np.uint8)
            image = as_it_is.upload(RawImage(encoding, height, width, data))
            for name, way in (('as it is', as_it_is), ('PyTorch', by_pytorch)):
                ways[f'{name}, {encoding}, {what}'] = partial(partial, way.normalized, image, *size)
    return ways


def transfers(settings: StepSettings, size: Size) -> dict[str, Way]:
    """Upload of a frame and download of labels, each with a synchronization: mostly work of the CPU."""
    device = settings.device
    frames = cycle([np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8) for seed in range(6)])
    labels, staging = torch.zeros(size, dtype=torch.uint8, device=device), gpu.host_buffer((*size, 3), device)
    kept: list[np.ndarray] = []

    def upload(to_device: Callable[[np.ndarray], object]) -> Way:
        def work() -> None:
            to_device(next(frames))
            gpu.synchronize(device)
        return lambda: work

    def download(take: Callable[[np.ndarray], object]) -> Way:
        def work() -> None:
            on_host = gpu.to_host(labels)
            gpu.synchronize(device)
            take(on_host.numpy())
        return lambda: work

    def by_numpy(rgb: np.ndarray) -> torch.Tensor:
        np.copyto(staging.numpy(), rgb)
        return staging.to(device, non_blocking=True)

    return {'up, pinned by one thread': upload(by_numpy),
            'up, pinned by several threads': upload(
                lambda rgb: staging.copy_(torch.from_numpy(rgb)).to(device, non_blocking=True)),
            'up, not pinned': upload(lambda rgb: torch.from_numpy(rgb).to(device)),
            'down, lent': download(np.shape), 'down, copied': download(np.copy), 'down, copied and kept': download(
                lambda array: kept.append(array.copy()))}
