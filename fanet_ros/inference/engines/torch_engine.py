# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch, on CPU or CUDA."""
from __future__ import annotations

from typing import Callable, Optional, Sequence

import torch
from torch import Tensor

from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import DTYPES, NetworkSetup
from fanet_ros.inference.gpu import GraphPool, Recording
from fanet_ros.model import FrameContext
from fanet_ros.model.rewrites import InferenceFANet

LEVELS = len(FrameContext._fields)


class TorchEngine(EngineKind, VideoEngine):
    """The rewritten network in PyTorch; on CUDA captured as graphs, since kernel launches take most of the time at batch 1.

    Float32 on CUDA is PyTorch's default: TF32 in convolutions, unless torch.backends says otherwise.

    :param network: from rewritten_network(); several engines may share it
    :param pool: memory of the graphs, which engines of the same network may share; None: run layer by layer. There is a graph
        for each batch size and number of earlier frames; all but the first are captured when first needed
    :param video: warm up with frames of a video
    """

    name = runtime = 'torch'
    devices, precisions = ('cpu', 'cuda'), tuple(DTYPES)
    gains_by_batches_on = ('cuda',)
    stands_in = True
    memory_format = torch.channels_last

    def __init__(self, network: InferenceFANet, device: torch.device, precision: str, height: int, width: int, *,
                 pool: Optional[GraphPool] = None, video: bool = False) -> None:
        self.precision, self.takes_any_number = precision, device.type == 'cuda'
        self._network, self._dtype, self._pool = network, DTYPES[precision], pool
        self._recordings: dict[tuple[int, int], Recording] = {}
        # First runs are slow: libraries choose and cache their kernels then.
        images = torch.zeros(1, 3, height, width, device=device).contiguous(memory_format=torch.channels_last)
        if video:
            self.run_video(images, ())
        else:
            self(images)

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> TorchEngine:
        return cls(setup.rewritten, setup.device, setup.precision, height, width, pool=setup.pool, video=setup.needs_video)

    def __call__(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            if self._pool is None:
                return self._network(images.to(self._dtype))
            return self._run((len(images), -1), self._single, images)[0]

    def run_video(self, images: Tensor, past: Sequence[FrameContext]) -> tuple[Tensor, FrameContext]:
        with torch.inference_mode():
            if self._pool is None:
                return self._network.forward_video(images.to(self._dtype), tuple(past))
            logits, *context = self._run((len(images), len(past)), self._video, images, *(item for one in past for item in one))
            return logits, FrameContext(*(item.clone() for item in context))    # outlives the next call

    def _single(self, images: Tensor) -> tuple[Tensor, ...]:
        return self._network(images),

    def _video(self, images: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        """run_video() on plain tensors: the images, then the contexts, one after the other."""
        contexts = tuple(FrameContext(*past[start:start + LEVELS]) for start in range(0, len(past), LEVELS))
        logits, context = self._network.forward_video(images, contexts)
        return logits, *context

    def _run(self, key: tuple[int, int], function: Callable[..., Sequence[Tensor]], *tensors: Tensor) -> list[Tensor]:
        """`function` through the graph of `key`, captured if necessary."""
        assert self._pool is not None
        if key not in self._recordings:
            images, *others = (tensor.to(self._dtype) for tensor in tensors)
            examples = [images.contiguous(memory_format=torch.channels_last), *others]
            self._recordings[key] = Recording(function, examples, self._pool)
        return self._recordings[key](*tensors)
