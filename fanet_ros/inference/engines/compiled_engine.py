# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""PyTorch's compiler: the rewritten network compiled for this machine and one input size, on CPU or CUDA."""
from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor

from fanet_ros.error_text import error_text
from fanet_ros.inference.engines.engine import EngineError
from fanet_ros.inference.engines.engine_kind import EngineKind
from fanet_ros.inference.engines.network_setup import DTYPES, NetworkSetup
from fanet_ros.inference.gpu import GraphPool, Recording


class CompiledEngine(EngineKind):
    """The rewritten network through torch.compile; on CUDA captured as a graph, as in TorchEngine.

    The constructor compiles, for minutes, for each input and batch size; PyTorch caches the result below
    $TORCHINDUCTOR_CACHE_DIR, so that the next start takes seconds.

    :param network: from rewritten_network()
    :param pool: memory of the graph; None: no graph
    :param backend: of torch.compile; others than inductor are for tests
    :raises EngineError: the compiler fails or is missing
    """

    name, runtime = 'torch_compile', 'torch'
    devices, precisions = ('cpu', 'cuda'), tuple(DTYPES)
    gains_by_batches_on = ('cuda',)
    is_on_demand = True
    memory_format = torch.channels_last

    def __init__(self, network: torch.nn.Module, device: torch.device, precision: str, height: int, width: int, batch: int = 1, *,
                 pool: Optional[GraphPool] = None, backend: str = 'inductor') -> None:
        self.precision, self._dtype = precision, DTYPES[precision]
        images = torch.zeros(batch, 3, height, width, device=device, dtype=self._dtype)
        images = images.contiguous(memory_format=torch.channels_last)
        try:
            with torch.no_grad():
                network(images)         # caches its constants for this size, so that they are not compiled
                # Export only the operations, as code that other sizes of the same network do not affect.
                exported = torch.export.export(network, (images,)).module()
            self._compiled = torch.compile(exported, fullgraph=True, dynamic=False, backend=backend)
            with torch.inference_mode():
                self._compiled(images)
        except torch.cuda.OutOfMemoryError:
            raise
        except Exception as error:      # the type depends on the part of the compiler that fails
            raise EngineError(f"engine 'torch_compile' cannot compile the network ({error_text(error, 160)}): it needs a C++ "
                              f"compiler and Python's headers, apt install g++ python3-dev"
                              f"{', and triton' if device.type == 'cuda' else ''}; or set engine to 'torch'") from None
        self._recording: Optional[Recording] = None
        if pool is not None:
            with torch.inference_mode():
                self._recording = Recording(lambda given: (self._compiled(given),), [images], pool)

    @classmethod
    def build(cls, setup: NetworkSetup, height: int, width: int, batch: int = 1) -> CompiledEngine:
        return cls(setup.rewritten, setup.device, setup.precision, height, width, batch, pool=setup.pool)

    def __call__(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            if self._recording is not None:
                return self._recording(images)[0]
            return self._compiled(images.to(self._dtype).contiguous(memory_format=torch.channels_last))
