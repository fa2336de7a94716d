# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every source gives."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Iterator, Optional

import numpy as np


class SourceError(ValueError):
    """A source cannot be opened or read; one line that says what to do."""


@dataclass(frozen=True)
class Frame:
    """One image: `rgb` (H, W, 3) uint8; `labels` (H, W) uint8 where the truth is known, 255 unlabelled; its number."""

    rgb: np.ndarray
    labels: Optional[np.ndarray]
    index: int


class FrameSource(ABC):
    """Frames one after the other. `length` is None where there is no end or it is not known, `rate_hz` where there is none."""

    name: str
    has_labels: bool = False
    length: Optional[int] = None
    rate_hz: Optional[float] = None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Frames from the first on; ends with the source. Raises SourceError."""

    def close(self) -> None:        # noqa: B027  most hold nothing
        """Give back what the source holds."""
