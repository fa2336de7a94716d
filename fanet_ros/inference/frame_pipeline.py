# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way of frames on the device: preprocessing, the network, postprocessing, timed stage by stage."""
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
    """Takes frames through engines that it is given, one thread at a time.

    `preprocess` and `history`: what it begins with, and what it remembers of the frames before.
    """

    def __init__(self, metadata: CheckpointMetadata, device: torch.device, results: Optional[HostResults] = None) -> None:
        self._metadata, self._device = metadata, device
        self.preprocess = Preprocessor(metadata.mean, metadata.std, device)
        self.history = FrameHistory(metadata.temporal_frames)
        self._streams: Optional[FrameStreams] = None
        self._results = results if results is not None or device.type != 'cuda' else HostResults()

    def for_another_thread(self) -> FramePipeline:
        """Another one for another thread, that knows of no frame yet; the memory that results come down to is shared."""
        return FramePipeline(self._metadata, self._device, self._results)

    def run(self, frames: Sequence[FrameInput], sizes: Sequence[Size], engines: Sequence[Engine], *,
           smoothing: float = 0.0) -> list[Segmentation]:
        """Take frames together, each by its engine at the network's height and width for it."""
        marks = [gpu.mark(self._device)]
        loaded = [self.preprocess.load(frame.image, *size, place) for place, (frame, size) in enumerate(zip(frames, sizes))]
        images = [self.preprocess.normalized(item, *size) for item, size in zip(loaded, sizes)]
        marks.append(gpu.mark(self._device))
        logits = self._logits(images, frames, engines)
        if smoothing > 0:
            logits = [self.history.smoothed(item, frame, smoothing) for item, frame in zip(logits, frames)]
        marks.append(gpu.mark(self._device))
        found = [on_device(item, frame, self._beneath(frame, image)).to_host()
                 for item, frame, image in zip(logits, frames, loaded)]
        marks.append(gpu.mark(self._device))
        gpu.wait_for(marks[-1])         # the only time: until here a GPU may not even have begun
        times = StageTimes(*(gpu.elapsed_ms(begin, end) for begin, end in zip(marks, marks[1:])))
        return [self._segmentation(item, times, size, len(frames)) for item, size in zip(found, sizes)]

    def send(self, frame: FrameInput, size: Size, engine: Engine, place: int) -> PendingFrame:
        """Begin the way of a frame that others follow; finish() ends it.

        :param place: see frame_stream.sent_ahead
        """
        # Kept: memory that was used on a stream is found again on that stream alone.
        self._streams = self._streams or FrameStreams(self._device)
        return self._streams.send(
            lambda: self.preprocess.load(frame.image, *size, place),
            lambda image: on_device(self._logits([self.preprocess.normalized(image, *size)], [frame], [engine])[0], frame,
                                    self._beneath(frame, image)),
            engine)

    def finish(self, frame: PendingFrame, size: Size) -> Segmentation:
        """What was sent, once it is there."""
        return self._segmentation(*frame.wait(), size)

    def _logits(self, images: list[torch.Tensor], frames: Sequence[FrameInput], engines: Sequence[Engine]) -> list[torch.Tensor]:
        """(1, C, h, w) of each frame; those of one engine run together."""
        results: dict[int, torch.Tensor] = {}
        for engine in dict.fromkeys(engines):
            places = [place for place, other in enumerate(engines) if other is engine]
            together = [images[place] for place in places]
            if self.history.is_needed:
                assert isinstance(engine, VideoEngine)        # the factory was told
                logits = [self.history.run(engine, images[place], frames[place]) for place in places]
            else:
                logits = list(engine(together[0] if len(together) == 1 else torch.cat(together)).split(1))
            results.update(zip(places, logits))
        return [results[place] for place in range(len(images))]

    def _beneath(self, frame: FrameInput, image: DeviceImage) -> Optional[torch.Tensor]:
        """The picture that the overlay of `frame` is drawn over, where it is wished for and drawn here."""
        return self.preprocess.rgb(image) if frame.overlay is not None and self._device.type == 'cuda' else None

    def _segmentation(self, layers: Layers, times: StageTimes, size: Size, batch_size: int = 1) -> Segmentation:
        array = torch.Tensor.numpy if self._results is None else self._results.array
        labels, confidence, overlay = (None if item is None else array(item) for item in layers)
        assert labels is not None
        return Segmentation(labels, confidence, times, *size, batch_size, overlay)
