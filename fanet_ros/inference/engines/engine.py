# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of all engines."""
from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Sequence

import torch

from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.model import FrameContext


class EngineError(SegmentationError):
    """An engine cannot be built as requested; one line: what was expected, what was given, what to do."""


class Engine(ABC):
    """A network that is ready to run at one resolution and, as a rule, one batch size. Call it from one thread at a time.

    `name` and `precision` identify it. `takes_any_number`: any batch size works, at less cost per image the larger it is.
    `memory_format`: preferred layout of the images; others work, too. `is_provisional`: it was ready first, and stands in for
    the fastest engine.
    """

    name: str
    precision: str
    takes_any_number = False
    memory_format = torch.contiguous_format
    is_provisional = False

    @abstractmethod
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """images (N, 3, h, w) float32, normalised, on the device -> logits (N, C, ceil(h/8), ceil(w/8)).

        The logits may be overwritten by the next call.
        """

    @property
    def description(self) -> str:
        """For logs, such as 'onnxruntime float32'."""
        return f'{self.name} {self.precision}'


class VideoEngine(Engine):
    """An engine that can attend to earlier frames."""

    @abstractmethod
    def run_video(self, images: torch.Tensor, past: Sequence[FrameContext]) -> tuple[torch.Tensor, FrameContext]:
        """Same as FANet.forward_video()."""
