"""PyTorch, on CPU or CUDA."""
from __future__ import annotations

from typing import Optional, Sequence

import torch

from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.model import FANet, FrameContext
from fanet_ros.model.rewrites import InferenceFANet

DTYPES = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}
WARM_UP_RUNS = 3


def rewritten_network(network: FANet, device: torch.device, precision: str) -> InferenceFANet:
    """`network` rewritten, on `device`, channels last, in a precision that is a key of DTYPES."""
    return InferenceFANet(network).eval().to(device=device, dtype=DTYPES[precision], memory_format=torch.channels_last)


class TorchEngine(VideoEngine):
    """The rewritten network; on CUDA recorded as one graph, since at batch 1 launches take most of the time.

    :param network: as rewritten_network() gives it; several engines may share it
    """

    name = 'torch'

    def __init__(self, network: InferenceFANet, device: torch.device, precision: str, height: int, width: int,
                 batch: int = 1) -> None:
        self.precision = precision
        self._network, self._device, self._dtype = network, device, DTYPES[precision]
        self._graph: Optional[torch.cuda.CUDAGraph] = None
        # First runs are slow: libraries choose and cache their kernels then.
        images = torch.zeros(batch, 3, height, width, device=device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode():
            if device.type == 'cuda':
                self._record(images)
            else:
                self(images)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            if self._graph is not None:
                self._input.copy_(images)
                self._graph.replay()
                return self._output
            return self._network(images.to(self._dtype))

    def run_video(self, images: torch.Tensor, past: Sequence[FrameContext]) -> tuple[torch.Tensor, FrameContext]:
        with torch.inference_mode():
            return self._network.forward_video(images.to(self._dtype), tuple(past))

    def _record(self, images: torch.Tensor) -> None:
        self._input = images.to(self._dtype)
        side = torch.cuda.Stream(self._device)
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):       # recording wants everything to have run once, on another stream
            for _ in range(WARM_UP_RUNS):
                self._network(self._input)
        torch.cuda.current_stream(self._device).wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        # thread_local: another thread may go on segmenting with the engine that this one is to replace.
        with torch.cuda.graph(self._graph, capture_error_mode='thread_local'):
            self._output = self._network(self._input)
