# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pipeline of a frame on the device: preprocessing, network, postprocessing, with the time of each stage."""
from __future__ import annotations

from typing import Optional, Sequence

import torch

from fanet_ros.inference import gpu
from fanet_ros.inference.device_image import DeviceImage
from fanet_ros.inference.engines.engine import Engine, VideoEngine
from fanet_ros.inference.frame_stream import FrameStreams, PendingFrame
from fanet_ros.inference.host_results import HostResults
from fanet_ros.inference.input_size import Size
from fanet_ros.inference.postprocess import Layers, on_device
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.inference.segmentation import FrameInput, Segmentation, StageTimes
from fanet_ros.inference.video.frame_history import FrameHistory
from fanet_ros.model import CheckpointMetadata


class FramePipeline:
    """Runs frames through the given engines. Use it from one thread at a time.

    `preprocess` is its first stage; `history` holds the per-camera state of earlier frames.
    """

    def __init__(self, metadata: CheckpointMetadata, device: torch.device, results: Optional[HostResults] = None) -> None:
        self._metadata, self._device = metadata, device
        self.preprocess = Preprocessor(metadata.mean, metadata.std, device)
        self.history = FrameHistory(metadata.temporal_frames)
        self._streams: Optional[FrameStreams] = None
        self._results = results if results is not None or device.type != 'cuda' else HostResults()

    def for_another_thread(self) -> FramePipeline:
        """Create a pipeline with an empty history for another thread; both share the pinned memory for results."""
        return FramePipeline(self._metadata, self._device, self._results)

    def run(self, frames: Sequence[FrameInput], sizes: Sequence[Size], engines: Sequence[Engine], *,
           smoothing: float = 0.0) -> list[Segmentation]:
        """Segment frames together, each with its engine and at its network size (height, width)."""
        events = [gpu.record_event(self._device)]
        loaded = [self.preprocess.load(frame.image, *size, place) for place, (frame, size) in enumerate(zip(frames, sizes))]
        images = [self.preprocess.normalized(item, *size) for item, size in zip(loaded, sizes)]
        events.append(gpu.record_event(self._device))
        logits = self._logits(images, frames, engines)
        if smoothing > 0:
            logits = [self.history.smoothed(item, frame, smoothing) for item, frame in zip(logits, frames)]
        events.append(gpu.record_event(self._device))
        layers = [on_device(item, frame, self._overlay_background(frame, image)).to_host()
                 for item, frame, image in zip(logits, frames, loaded)]
        events.append(gpu.record_event(self._device))
        gpu.wait_for(events[-1])        # the only synchronisation: up to here, GPU work is just queued
        times = StageTimes(*(gpu.elapsed_ms(begin, end) for begin, end in zip(events, events[1:])))
        return [self._segmentation(item, times, size, len(frames)) for item, size in zip(layers, sizes)]

    def send(self, frame: FrameInput, size: Size, engine: Engine, place: int) -> PendingFrame:
        """Start a frame whose stages may overlap with those of other frames; finish() completes it.

        :param place: slot of the pinned upload buffer, see frame_stream.sent_ahead
        """
        # Created once: PyTorch reuses memory that was used on a stream on that stream only.
        self._streams = self._streams or FrameStreams(self._device)
        return self._streams.send(
            lambda: self.preprocess.load(frame.image, *size, place),
            lambda image: on_device(self._logits([self.preprocess.normalized(image, *size)], [frame], [engine])[0], frame,
                                    self._overlay_background(frame, image)),
            engine)

    def finish(self, frame: PendingFrame, size: Size) -> Segmentation:
        """Wait for a frame from send() and return its result."""
        return self._segmentation(*frame.wait(), size)

    def _logits(self, images: list[torch.Tensor], frames: Sequence[FrameInput], engines: Sequence[Engine]) -> list[torch.Tensor]:
        """Logits (1, C, h, w) of each frame; frames that share an engine run as one batch."""
        results: dict[int, torch.Tensor] = {}
        for engine in dict.fromkeys(engines):
            places = [place for place, other in enumerate(engines) if other is engine]
            together = [images[place] for place in places]
            if self.history.is_needed:
                assert isinstance(engine, VideoEngine)        # ensured by the factory's needs_video
                logits = [self.history.run(engine, images[place], frames[place]) for place in places]
            else:
                logits = list(engine(together[0] if len(together) == 1 else torch.cat(together)).split(1))
            results.update(zip(places, logits))
        return [results[place] for place in range(len(images))]

    def _overlay_background(self, frame: FrameInput, image: DeviceImage) -> Optional[torch.Tensor]:
        """RGB image that the overlay of `frame` is drawn on; None if no overlay is requested, or not drawn on this device."""
        return self.preprocess.rgb(image) if frame.overlay is not None and self._device.type == 'cuda' else None

    def _segmentation(self, layers: Layers, times: StageTimes, size: Size, batch_size: int = 1) -> Segmentation:
        array = torch.Tensor.numpy if self._results is None else self._results.array
        labels, confidence, overlay = (None if item is None else array(item) for item in layers)
        assert labels is not None
        return Segmentation(labels, confidence, times, *size, batch_size, overlay)
