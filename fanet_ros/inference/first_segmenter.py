# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segments the first frames after the start with ONNX Runtime and NumPy alone, until a Segmenter takes over."""
from __future__ import annotations

import time
from typing import Optional, Sequence

from fanet_ros.inference.engines.cache import touch
from fanet_ros.inference.engines.onnx_session import session
from fanet_ros.inference.first_answer import FirstAnswer, recall
from fanet_ros.inference.input_size import Size
from fanet_ros.inference.normalizing import normalized
from fanet_ros.inference.resizing import resized
from fanet_ros.inference.segmentation import FrameInput, Segmentation, StageTimes
from fanet_ros.inference.segmenter_options import SegmenterOptions
from fanet_ros.inference.upsampled_labels import upsampled_labels
from fanet_ros.size_text import size_text

MAX_FRAME_SIZES = 8


class FirstSegmenter:
    """Takes the place of a Segmenter on the CPU while torch is being imported, which takes longer than all else at the start.

    Its labels are those of a Segmenter with engine onnxruntime at the same size. It has one size for frames of any shape, and
    no memory of earlier frames.

    :raises Exception: onnxruntime is not installed, or cannot load the network
    """

    device = 'cpu'
    engine_description = 'onnxruntime float32'
    converts_colors, is_provisional, batch = False, True, 1

    def __init__(self, answer: FirstAnswer, options: SegmenterOptions) -> None:
        self.options, self.class_map = options, answer.class_map
        self.checkpoint_name, self.variant = answer.checkpoint_name, answer.variant
        self.input_height, self.input_width = answer.input_size
        self._means, self._scales = [255 * value for value in answer.mean], [1 / (255 * value) for value in answer.std]
        self._session = session(answer.path, answer.threads)
        touch(answer.path)
        self.input_sizes: tuple[Size, ...] = (answer.input_size,)
        self.frame_sizes: tuple[Size, ...] = ()         # replaced, not changed, for threads that read it

    @classmethod
    def recalled(cls, checkpoint: str, options: SegmenterOptions) -> Optional[FirstSegmenter]:
        """A segmenter for this checkpoint and these options; None if no Segmenter left one behind, or it does not work."""
        try:
            answer = recall(checkpoint, options)
            return None if answer is None else cls(answer, options)
        except Exception:       # of any kind: a Segmenter then says what is wrong, if anything is
            return None

    @property
    def description(self) -> str:
        return (f'{self.checkpoint_name} ({self.variant}) at {size_text(self.input_height, self.input_width)} on {self.device} '
                f'({self.engine_description}), {len(self.class_map)} classes {self.class_map.name}')

    def is_ready_for(self, height: int, width: int) -> bool:
        """Always: frames of another shape are squeezed until a Segmenter takes over."""
        return True

    def size_for(self, height: int, width: int) -> Size:
        """The network's height and width, for frames of any shape."""
        return self.input_height, self.input_width

    def prepare(self, height: int, width: int) -> Size:
        """Nothing to do; the network's height and width."""
        return self.input_height, self.input_width

    def segment_batch(self, frames: Sequence[FrameInput], *, smoothing: float = 0.0, builds: bool = True) -> list[Segmentation]:
        """Same as Segmenter.segment_batch(), without smoothing.

        :raises ValueError: one of them is not a frame
        """
        return [self._segment(frame) for frame in frames]

    def _segment(self, frame: FrameInput) -> Segmentation:
        frame.check()
        marks = [time.perf_counter()]
        images = normalized(resized(frame.rgb, self.input_height, self.input_width), self._means, self._scales)
        marks.append(time.perf_counter())
        logits = self._session.run(None, {'images': images})[0][0]
        marks.append(time.perf_counter())
        labels, confidence = upsampled_labels(logits, frame.size, frame.confidence)
        marks.append(time.perf_counter())
        others = [size for size in self.frame_sizes if size != frame.size]
        self.frame_sizes = (*others, frame.size)[-MAX_FRAME_SIZES:]
        times = StageTimes(*((end - begin) * 1e3 for begin, end in zip(marks, marks[1:])))
        return Segmentation(labels, confidence, times, self.input_height, self.input_width)
