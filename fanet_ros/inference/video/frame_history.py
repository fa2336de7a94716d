# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the frames before, of each camera for itself."""
from __future__ import annotations

import torch

from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.segmentation import FrameInput
from fanet_ros.inference.video.temporal_filter import TemporalFilter
from fanet_ros.inference.video.video_memory import VideoMemory


class FrameHistory:
    """What a video network attends to, and what masks are smoothed with.

    :param temporal_frames: how many frames the network sees at once
    """

    def __init__(self, temporal_frames: int) -> None:
        self._temporal_frames = temporal_frames
        self._memories: dict[str, VideoMemory] = {}
        self._filters: dict[str, TemporalFilter] = {}

    @property
    def is_needed(self) -> bool:
        """Whether the network attends to earlier frames."""
        return self._temporal_frames > 1

    def run(self, engine: VideoEngine, image: torch.Tensor, frame: FrameInput) -> torch.Tensor:
        """Logits (1, C, h, w) of `frame`, given as `image` (1, 3, h, w), which is remembered."""
        memory = self._memories.setdefault(frame.camera, VideoMemory(self._temporal_frames - 1))
        logits, context = engine.run_video(image, memory.recall(frame.rgb, frame.stamp_s))
        memory.remember(context)
        return logits

    def smoothed(self, logits: torch.Tensor, frame: FrameInput, strength: float) -> torch.Tensor:
        """`logits` (1, C, h, w) of `frame` with a share of those before, 0..1, along the optical flow."""
        temporal_filter = self._filters.setdefault(frame.camera, TemporalFilter(strength))
        temporal_filter.strength = strength
        filtered = temporal_filter(logits[0].float().cpu().contiguous().numpy(), frame.rgb, frame.stamp_s)
        return torch.from_numpy(filtered)[None].to(logits.device)

    def forget(self) -> None:
        """The next frame belongs to no frame before it."""
        self._memories.clear()
        self._filters.clear()
