# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What only a GPU has: streams, events, pinned memory and graphs. On the CPU, what comes to the same.

All calls of torch.cuda that the way of a frame makes are here, so that the rest is the same code on both.
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

Mark = Union[float, torch.cuda.Event]
WARM_UP_RUNS = 3

# PyTorch allows one recording at a time in a process, and its allocator may not be emptied meanwhile.
_recording = threading.RLock()


def mark(device: torch.device) -> Mark:
    """This moment, in the present stream of `device`; on the CPU by time.perf_counter()."""
    if device.type != 'cuda':
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device))
    return event


def wait_for(moment: Mark) -> None:
    """Return when the device has come to `moment`."""
    if isinstance(moment, torch.cuda.Event):
        moment.synchronize()


def elapsed_ms(begin: Mark, end: Mark) -> float:
    """Milliseconds between two marks of one device that it has come to."""
    if isinstance(begin, torch.cuda.Event) and isinstance(end, torch.cuda.Event):
        return begin.elapsed_time(end)
    assert isinstance(begin, float) and isinstance(end, float)
    return (end - begin) * 1e3


def synchronize(device: torch.device) -> None:
    """Wait for the present stream. Not for the whole device: another thread may be recording a graph, which that spoils."""
    if device.type == 'cuda':
        torch.cuda.current_stream(device).synchronize()


def new_stream(device: torch.device) -> Optional[torch.cuda.Stream]:
    """A stream of its own; None on the CPU, where everything is done in its order."""
    return torch.cuda.Stream(device) if device.type == 'cuda' else None


def current_stream(device: torch.device) -> Optional[torch.cuda.Stream]:
    """The stream that work on `device` goes to at present; None on the CPU."""
    return torch.cuda.current_stream(device) if device.type == 'cuda' else None


def on(stream: Optional[torch.cuda.Stream]) -> AbstractContextManager:
    """Give work to `stream` within this context."""
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def on_device_of(tensor: Tensor) -> AbstractContextManager:
    """Launch kernels that are not PyTorch's on the GPU where `tensor` is: they go to the present device, the first one."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()


def follow(later: Optional[torch.cuda.Stream], earlier: Optional[torch.cuda.Stream], *handed_on: Optional[Tensor]) -> None:
    """`later` goes on when `earlier` has done what it has been given until now, and may use the tensors handed on."""
    if later is None or earlier is None:
        return
    later.wait_stream(earlier)
    for tensor in handed_on:
        if tensor is not None:
            tensor.record_stream(later)     # else its memory may be given away while `later` reads it


def host_buffer(shape: Sequence[int], device: torch.device) -> Tensor:
    """uint8 on the host; for a GPU pinned, so that the copy to it needs no help of the CPU."""
    return torch.empty(tuple(shape), dtype=torch.uint8, pin_memory=device.type == 'cuda')


def to_host(tensor: Tensor) -> Tensor:
    """`tensor` on the host; from a GPU it is there once the present stream has come so far."""
    if not tensor.is_cuda:
        return tensor
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)


def release_cached_memory() -> None:
    """Give back to the GPU's driver what PyTorch keeps of its memory for later."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        with _recording:
            torch.cuda.empty_cache()


@cache
def _recording_streams(device_index: int) -> tuple[torch.cuda.Stream, torch.cuda.Stream]:
    """Where things run before they are recorded, and where they are.

    Two, for cuBLAS has a workspace for each stream, which a graph goes on using when it runs elsewhere: what runs on the
    stream of the recording would meet it there. The same for all pools, since memory is found again by pool and stream.
    """
    return torch.cuda.Stream(device_index), torch.cuda.Stream(device_index)


class GraphPool:
    """The memory in which graphs keep what they need while they run, shared by all that belong to one network.

    They run one after the other, whatever the streams and threads that ask for it, and what they take and give lies
    outside: so one pool serves every resolution and batch, and is no larger than the largest needs.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._lock = threading.Lock()
        self._last: Optional[torch.cuda.Stream] = None      # the stream of the run before
        with torch.cuda.device(device):
            self.warm_up_stream, self.stream = _recording_streams(torch.cuda.current_device())
            self.handle = torch.cuda.graph_pool_handle()
            self._keeper = torch.cuda.CUDAGraph()           # PyTorch forgets a pool when its last graph goes
            with warnings.catch_warnings(), _recording:
                warnings.simplefilter('ignore')             # of a graph that is empty
                with torch.cuda.graph(self._keeper, pool=self.handle, stream=self.stream,
                                      capture_error_mode='thread_local'):
                    pass

    def replay(self, graph: torch.cuda.CUDAGraph) -> None:
        """Run `graph` in the present stream, after the one before."""
        with self._lock:
            present = torch.cuda.current_stream(self.device)
            if self._last is not None and self._last != present:
                present.wait_stream(self._last)
            graph.replay()
            self._last = present


class Recording:
    """`function` as one graph, for tensors of the shapes, types and strides of `examples`. Call it from one thread at a time.

    What it gives is overwritten by the next call. To be made and called in inference mode.

    :param search: try which of cuDNN's convolutions is the fastest for every shape, instead of taking its word for it
    """

    def __init__(self, function: Callable[..., Sequence[Tensor]], examples: Sequence[Tensor], pool: GraphPool, *,
                 search: bool = True) -> None:
        self._pool, self._graph = pool, torch.cuda.CUDAGraph()
        self._function = function           # the graph reads the weights that it refers to, and does not keep them
        with torch.cuda.device(pool.device), _recording, convolutions_searched(search):
            self._inputs = [torch.empty_like(example).copy_(example) for example in examples]
            present = torch.cuda.current_stream(pool.device)
            pool.warm_up_stream.wait_stream(present)
            with torch.cuda.stream(pool.warm_up_stream):        # recording wants everything to have run once
                for _ in range(WARM_UP_RUNS):
                    found = function(*self._inputs)
                shapes = [torch.empty_like(item, device='meta') for item in found]
                del found
            present.wait_stream(pool.warm_up_stream)
            self._outputs = [torch.empty_like(item, device=pool.device) for item in shapes]
            with torch.cuda.stream(pool.stream):        # if it fails, the stream before comes back here
                # thread_local: another thread may go on segmenting with the engine that this one is to replace.
                with torch.cuda.graph(self._graph, pool=pool.handle, stream=pool.stream, capture_error_mode='thread_local'):
                    for mine, item in zip(self._outputs, function(*self._inputs)):
                        mine.copy_(item)

    def __call__(self, *tensors: Tensor) -> list[Tensor]:
        """What `function` gives for these."""
        for mine, given in zip(self._inputs, tensors):
            mine.copy_(given, non_blocking=True)
        self._pool.replay(self._graph)
        return self._outputs


@contextmanager
def convolutions_searched(search: bool = True) -> Iterator[None]:
    """Whether cuDNN tries its algorithms for every new shape and keeps the fastest, within this context."""
    before, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, search
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def peak_memory_mib(device: torch.device) -> dict[str, float]:
    """The most that PyTorch has used and held of the GPU's memory; nothing on the CPU."""
    if device.type != 'cuda':
        return {}
    return {'gpu_used_mib': torch.cuda.max_memory_allocated(device) / 2**20,
            'gpu_held_mib': torch.cuda.max_memory_reserved(device) / 2**20}
