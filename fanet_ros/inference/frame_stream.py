"""Frames that follow each other: on a GPU one goes up while another is computed and a third comes down."""
from __future__ import annotations

import time
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, TypeVar, Union

import numpy as np
import torch
from torch import Tensor

from fanet_ros.inference.segmentation import FrameInput, StageTimes

DEPTH = 2       # frames under way at once: while the CPU waits for the labels of one, the GPU has another to work on

Mark = Union[float, torch.cuda.Event]
Sent = TypeVar('Sent')


@dataclass(frozen=True)
class FrameUnderWay:
    """A frame whose labels may still be computed; `marks` are the ends of its stages and the beginning of each."""

    labels: Tensor                      # (H, W) uint8 on the host
    confidence: Optional[Tensor]
    marks: tuple[Mark, ...]
    needed: object                      # what the GPU still works with

    def wait(self) -> tuple[np.ndarray, Optional[np.ndarray], StageTimes]:
        """Labels, confidence and times, once they are there."""
        if isinstance(self.marks[-1], torch.cuda.Event):
            self.marks[-1].synchronize()
        # Copies: the memory is pinned, of which there should not be much for long.
        confidence = None if self.confidence is None else self.confidence.numpy().copy()
        return self.labels.numpy().copy(), confidence, StageTimes(*(
            _elapsed_ms(begin, end) for begin, end in zip(self.marks[::2], self.marks[1::2])))


class FrameStreams:
    """The streams of one device. On the CPU the stages are done one after the other.

    The streams wait for each other on the GPU; the CPU waits for nothing here.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._is_gpu = device, device.type == 'cuda'
        self._up, self._down = (torch.cuda.Stream(device), torch.cuda.Stream(device)) if self._is_gpu else (None, None)

    def send(self, load: Callable[[], Tensor], compute: Callable[[Tensor], tuple[Tensor, Optional[Tensor]]],
             needed: object) -> FrameUnderWay:
        """Begin a frame's way.

        :param load: gives the frame, uint8, on the device; its pinned memory must not be that of a frame under way
        :param compute: gives its labels and confidence, (H, W) uint8, on the device
        :param needed: kept alive until the labels are there
        """
        main = torch.cuda.current_stream(self._device) if self._is_gpu else None
        with _on(self._up):
            marks = [self._mark()]
            frame = load()
            marks.append(self._mark())
        _follow(main, self._up, frame)
        with _on(main):
            marks.append(self._mark())
            found = compute(frame)
            marks.append(self._mark())
        _follow(self._down, main, *found)
        with _on(self._down):
            marks.append(self._mark())
            labels, confidence = (None if item is None else _to_host(item) for item in found)
            marks.append(self._mark())
        assert labels is not None
        return FrameUnderWay(labels, confidence, tuple(marks), needed)

    def _mark(self) -> Mark:
        """This moment, in the present stream."""
        if not self._is_gpu:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


def sent_ahead(frames: Iterable[Optional[FrameInput]],
               send: Callable[[FrameInput, int], Sent]) -> Iterator[Optional[Sent]]:
    """What send(frame, place) gives for every frame, once the next DEPTH - 1 have been sent as well; None for None.

    :param send: is never given the place, 0 to DEPTH - 1, of a frame that has not come out yet
    """
    sent: deque[Optional[Sent]] = deque()
    for number, frame in enumerate(frames):
        sent.append(None if frame is None else send(frame, number % DEPTH))
        if len(sent) == DEPTH:
            yield sent.popleft()
    yield from sent


def _on(stream: Optional[torch.cuda.Stream]) -> AbstractContextManager:
    return nullcontext() if stream is None else torch.cuda.stream(stream)


def _follow(later: Optional[torch.cuda.Stream], earlier: Optional[torch.cuda.Stream], *handed_on: Optional[Tensor]) -> None:
    """`later` goes on when `earlier` has done what it has been given until now, and may use the tensors handed on."""
    if later is None or earlier is None:
        return
    later.wait_stream(earlier)
    for tensor in handed_on:
        if tensor is not None:
            tensor.record_stream(later)     # else its memory may be given away while `later` reads it


def _to_host(tensor: Tensor) -> Tensor:
    if not tensor.is_cuda:
        return tensor
    return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True).copy_(tensor, non_blocking=True)


def _elapsed_ms(begin: Mark, end: Mark) -> float:
    if isinstance(begin, torch.cuda.Event):
        return begin.elapsed_time(end)
    return (end - begin) * 1e3
