# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA streams, events, pinned memory and graphs, each with its CPU equivalent.

All torch.cuda calls of the frame pipeline are here, so that the rest of its code is the same for both devices.
"""
from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Callable, Optional, Sequence, Union

import torch
from torch import Tensor

Event = Union[float, torch.cuda.Event]
WARM_UP_RUNS = 3

# PyTorch allows one graph capture at a time per process, and its cache must not be emptied during it.
_recording = threading.RLock()


def record_event(device: torch.device) -> Event:
    """Record an event in the current stream of `device`; on the CPU, take time.perf_counter()."""
    if device.type != 'cuda':
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device))
    return event


def wait_for(event: Event) -> None:
    """Block until the device has reached `event`."""
    if isinstance(event, torch.cuda.Event):
        event.synchronize()


def elapsed_ms(begin: Event, end: Event) -> float:
    """Milliseconds between two events that the device has reached."""
    if isinstance(begin, torch.cuda.Event) and isinstance(end, torch.cuda.Event):
        return begin.elapsed_time(end)
    assert isinstance(begin, float) and isinstance(end, float)
    return (end - begin) * 1e3


def synchronize(device: torch.device) -> None:
    """Wait for the current stream. Not for the whole device: that would break a graph capture in another thread."""
    if device.type == 'cuda':
        torch.cuda.current_stream(device).synchronize()


def new_stream(device: torch.device) -> Optional[torch.cuda.Stream]:
    """Create a stream; None on the CPU, where everything runs in order."""
    return torch.cuda.Stream(device) if device.type == 'cuda' else None


def current_stream(device: torch.device) -> Optional[torch.cuda.Stream]:
    """The current stream of `device`; None on the CPU."""
    return torch.cuda.current_stream(device) if device.type == 'cuda' else None


def on(stream: Optional[torch.cuda.Stream]) -> AbstractContextManager:
    """Make `stream` the current one within this context."""
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def on_device_of(tensor: Tensor) -> AbstractContextManager:
    """Make the GPU of `tensor` current within this context, because kernels that are not PyTorch's launch on the current device."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def wait_stream(later: Optional[torch.cuda.Stream], earlier: Optional[torch.cuda.Stream], *handed_over: Optional[Tensor]) -> None:
    """Make `later` wait for the work queued in `earlier` so far, and let it use the tensors `handed_over`."""
    if later is None or earlier is None:
        return
    later.wait_stream(earlier)
    for tensor in handed_over:
        if tensor is not None:
            tensor.record_stream(later)     # else its memory may be reused while `later` reads it


def host_buffer(shape: Sequence[int], device: torch.device) -> Tensor:
    """Host tensor of uint8; for a GPU it is pinned, so that copies to the device are asynchronous."""
    return torch.empty(tuple(shape), dtype=torch.uint8, pin_memory=device.type == 'cuda')


def to_host(tensor: Tensor) -> Tensor:
    """Copy `tensor` to the host; from a GPU the copy is complete once the current stream has reached this point."""
    if not tensor.is_cuda:
        return tensor
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)


def release_cached_memory() -> None:
    """Return PyTorch's cached GPU memory to the driver."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        with _recording:
            torch.cuda.empty_cache()


@cache
def _recording_streams(device_index: int) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """Streams for the warm-up before a capture, and for the capture.

    Two, because cuBLAS has a workspace per stream, which a graph keeps using when it is replayed elsewhere: other work on the
    capture stream would collide with it. The same for all pools, since PyTorch reuses memory per pool and stream.
    """
    return torch.cuda.Stream(device_index), torch.cuda.Stream(device_index)


class GraphPool:
    """Working memory of CUDA graphs, shared by all graphs of one network.

    The graphs run one after the other, whatever streams and threads replay them, and their inputs and outputs are outside the
    pool. So one pool serves every resolution and batch size, and is only as large as the largest graph needs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._last: Optional[torch.cuda.Stream] = None      # stream of the last replay
        with torch.cuda.device(device):
            self.warm_up_stream, self.stream = _recording_streams(torch.cuda.current_device())
            self.handle = torch.cuda.graph_pool_handle()
            self._keeper = torch.cuda.CUDAGraph()           # PyTorch frees a pool with its last graph
            with warnings.catch_warnings(), _recording:
                warnings.simplefilter('ignore')             # about an empty graph
                with torch.cuda.graph(self._keeper, pool=self.handle, stream=self.stream,
                                      capture_error_mode='thread_local'):
                    pass

    def replay(self, graph: torch.cuda.CUDAGraph) -> None:
        """Run `graph` in the current stream, after the previous replay."""
        with self._lock:
            present = torch.cuda.current_stream(self.device)
            if self._last is not None and self._last != present:
                present.wait_stream(self._last)
            graph.replay()
            self._last = present


class Recording:
    """`function` as a CUDA graph, for tensors with the shapes, dtypes and strides of `examples`.

    Call it from one thread at a time. Its outputs are overwritten by the next call. Create and call it in inference mode.

    :param search: try which of cuDNN's convolution algorithms is the fastest for every shape, instead of relying on its
        heuristic
    """

    def __init__(self, function: Callable[..., Sequence[Tensor]], examples: Sequence[Tensor], pool: GraphPool, *,
                 search: bool = True) -> None:
        self._pool, self._graph = pool, torch.cuda.CUDAGraph()
        self._function = function           # keeps the weights alive, which the graph reads but does not own
        with torch.cuda.device(pool.device), _recording, convolutions_searched(search):
            self._inputs = [torch.empty_like(example).copy_(example) for example in examples]
            present = torch.cuda.current_stream(pool.device)
            pool.warm_up_stream.wait_stream(present)
            with torch.cuda.stream(pool.warm_up_stream):        # capture requires that everything has run once
                for _ in range(WARM_UP_RUNS):
                    results = function(*self._inputs)
                shapes = [torch.empty_like(item, device='meta') for item in results]
                del results
            present.wait_stream(pool.warm_up_stream)
            self._outputs = [torch.empty_like(item, device=pool.device) for item in shapes]
            with torch.cuda.stream(pool.stream):        # restores the current stream if the capture fails
                # thread_local: another thread may be segmenting with the engine that this one will replace.
                with torch.cuda.graph(self._graph, pool=pool.handle, stream=pool.stream, capture_error_mode='thread_local'):
                    for output, item in zip(self._outputs, function(*self._inputs)):
                        output.copy_(item)

    def __call__(self, *tensors: Tensor) -> list[Tensor]:
        """Run the graph on these tensors; returns its outputs."""
        for buffer, tensor in zip(self._inputs, tensors):
            buffer.copy_(tensor, non_blocking=True)
        self._pool.replay(self._graph)
        return self._outputs


@contextmanager
def convolutions_searched(search: bool = True) -> Iterator[None]:
    """Set within this context whether cuDNN tries its algorithms for every new shape and keeps the fastest."""
    before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, search
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def peak_memory_mib(device: torch.device) -> dict[str, float]:
    """Peak GPU memory that PyTorch has allocated and reserved; empty on the CPU."""
    if device.type != 'cuda':
        return {}
    return {'gpu_used_mib': torch.cuda.max_memory_allocated(device) / 2**20,
            'gpu_held_mib': torch.cuda.max_memory_reserved(device) / 2**20}
