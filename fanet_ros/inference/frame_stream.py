# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that follow each other: on a GPU one goes up while another is computed and a third comes down."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, TypeVar

import torch

from fanet_ros.inference import gpu
from fanet_ros.inference.device_image import DeviceImage
from fanet_ros.inference.postprocess import Layers
from fanet_ros.inference.segmentation import FrameInput, StageTimes

DEPTH = 2       # frames under way at once: while the CPU waits for the labels of one, the GPU has another to work on

Sent = TypeVar('Sent')


@dataclass(frozen=True)
class PendingFrame:
    """A frame whose labels may still be computed; `marks` are beginning and end of each of its three stages."""

    layers: Layers                      # on the host
    marks: tuple[gpu.Mark, ...]
    needed: object                      # what the GPU still works with

    def wait(self) -> tuple[Layers, StageTimes]:
        """Labels with all that was asked for, and the times, once they are there."""
        gpu.wait_for(self.marks[-1])
        return self.layers, StageTimes(*(gpu.elapsed_ms(begin, end) for begin, end in zip(self.marks[::2], self.marks[1::2])))


class FrameStreams:
    """The streams of one device. On the CPU the stages are done one after the other.

    The streams wait for each other on the GPU; the CPU waits for nothing here.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._up, self._down = gpu.new_stream(device), gpu.new_stream(device)

    def send(self, load: Callable[[], DeviceImage], compute: Callable[[DeviceImage], Layers], needed: object) -> PendingFrame:
        """Begin a frame's way.

        :param load: gives the frame on the device; its pinned memory must not be that of a frame under way
        :param compute: gives its labels and all else that is to come down
        :param needed: kept alive until the labels are there
        """
        main = gpu.current_stream(self._device)
        with gpu.on(self._up):
            marks = [gpu.mark(self._device)]
            frame = load()
            marks.append(gpu.mark(self._device))
        gpu.follow(main, self._up, frame.data)
        with gpu.on(main):
            marks.append(gpu.mark(self._device))
            found = compute(frame)
            marks.append(gpu.mark(self._device))
        gpu.follow(self._down, main, *found)
        with gpu.on(self._down):
            marks.append(gpu.mark(self._device))
            layers = found.to_host()
            marks.append(gpu.mark(self._device))
        return PendingFrame(layers, tuple(marks), needed)


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
