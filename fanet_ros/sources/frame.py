# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interface of all frame sources."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Iterator, Optional

import numpy as np


class SourceError(ValueError):
    """A source cannot be opened or read; the message is one line and says what to do."""


@dataclass(frozen=True)
class Frame:
    """One image: `rgb` (H, W, 3) uint8; `labels` (H, W) uint8 if ground truth exists, 255 unlabelled; `index` from 0."""

    rgb: np.ndarray
    labels: Optional[np.ndarray]
    index: int


class FrameSource(ABC):
    """A sequence of frames. `length` is None if it is endless or unknown; `rate_hz` is None if the source has no rate."""

    name: str
    has_labels: bool = False
    length: Optional[int] = None
    rate_hz: Optional[float] = None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Frames from the first to the end of the source.

        :raises SourceError: the source can no longer be read
        """

    def close(self) -> None:        # noqa: B027  most hold nothing
        """Release what the source holds."""
