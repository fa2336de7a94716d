# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pipelining of consecutive frames: on a GPU, upload, inference and download of different frames overlap."""
from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Callable, Iterable, Iterator, Optional, TypeVar

import torch

from fanet_ros.inference import gpu
from fanet_ros.inference.device_image import DeviceImage
from fanet_ros.inference.postprocess import Layers
from fanet_ros.inference.segmentation import FrameInput, StageTimes

DEPTH = 2       # frames in flight: while the CPU waits for the labels of one, the GPU works on another

Sent = TypeVar('Sent')


@dataclass(frozen=True)
class PendingFrame:
    """A frame in flight; `events` are the start and end events of each of its three stages."""

    layers: Layers                      # on the host
    events: tuple[gpu.Event, ...]
    needed: object                      # kept alive while the GPU uses it

    def wait(self) -> tuple[Layers, StageTimes]:
        """Block until the results are on the host; return them with the stage times."""
        gpu.wait_for(self.events[-1])
        return self.layers, StageTimes(*(gpu.elapsed_ms(begin, end) for begin, end in zip(self.events[::2], self.events[1::2])))


class FrameStreams:
    """Upload and download streams of one device. On the CPU the stages run one after the other.

    The streams wait for each other on the GPU; the CPU never blocks here.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._upload, self._download = gpu.new_stream(device), gpu.new_stream(device)

    def send(self, load: Callable[[], DeviceImage], compute: Callable[[DeviceImage], Layers], needed: object) -> PendingFrame:
        """Queue all stages of a frame.

        :param load: returns the frame on the device; its pinned memory must not be in use by another frame in flight
        :param compute: returns the labels and everything else to download
        :param needed: kept alive as long as the pending frame
        """
        main = gpu.current_stream(self._device)
        with gpu.on(self._upload):
            events = [gpu.record_event(self._device)]
            frame = load()
            events.append(gpu.record_event(self._device))
        gpu.wait_stream(main, self._upload, frame.data)
        with gpu.on(main):
            events.append(gpu.record_event(self._device))
            on_device = compute(frame)
            events.append(gpu.record_event(self._device))
        gpu.wait_stream(self._download, main, *on_device)
        with gpu.on(self._download):
            events.append(gpu.record_event(self._device))
            layers = on_device.to_host()
            events.append(gpu.record_event(self._device))
        return PendingFrame(layers, tuple(events), needed)


def sent_ahead(frames: Iterable[Optional[FrameInput]],
               send: Callable[[FrameInput, int], Sent]) -> Iterator[Optional[Sent]]:
    """Yield send(frame, place) of every frame, once the next DEPTH - 1 have been sent as well; None for None.

    :param send: `place` is a buffer slot, 0..DEPTH - 1, that no frame still in flight uses
    """
    sent: deque[Optional[Sent]] = deque()
    for number, frame in enumerate(frames):
        sent.append(None if frame is None else send(frame, number % DEPTH))
        if len(sent) == DEPTH:
            yield sent.popleft()
    yield from sent
