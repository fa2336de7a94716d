# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Per-camera state of earlier frames."""
from __future__ import annotations

from collections import defaultdict

import torch

from fanet_ros.inference.engines.engine import VideoEngine
from fanet_ros.inference.segmentation import FrameInput
from fanet_ros.inference.video.temporal_filter import TemporalFilter
from fanet_ros.inference.video.video_memory import VideoMemory


class FrameHistory:
    """Contexts that a video network attends to, and temporal filters that smooth masks, per camera.

    :param temporal_frames: number of frames that the network attends to, the current one included
    """

    def __init__(self, temporal_frames: int) -> None:
        self._temporal_frames = temporal_frames
        self._memories: dict[str, VideoMemory] = defaultdict(lambda: VideoMemory(temporal_frames - 1))
        self._filters: dict[str, TemporalFilter] = defaultdict(TemporalFilter)

    @property
    def is_needed(self) -> bool:
        """Whether the network attends to earlier frames."""
        return self._temporal_frames > 1

    def run(self, engine: VideoEngine, image: torch.Tensor, frame: FrameInput) -> torch.Tensor:
        """Logits (1, C, h, w) of `frame`, given as network input `image` (1, 3, h, w); adds the frame to the history."""
        memory = self._memories[frame.camera]
        logits, context = engine.run_video(image, memory.recall(frame.rgb, frame.stamp_s))
        memory.remember(context)
        return logits

    def smoothed(self, logits: torch.Tensor, frame: FrameInput, strength: float) -> torch.Tensor:
        """Blend `logits` (1, C, h, w) of `frame` with those of previous frames, by their share `strength` 0..1."""
        plain = logits[0].float().cpu().contiguous().numpy()
        filtered = self._filters[frame.camera](plain, frame.rgb, frame.stamp_s, strength)
        return torch.from_numpy(filtered)[None].to(logits.device)

    def forget(self) -> None:
        self._memories.clear()
        self._filters.clear()
