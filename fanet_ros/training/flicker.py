"""How restless the labels of a video are."""
from __future__ import annotations

from typing import Optional

import numpy as np

from fanet_ros.training.datasets import UNLABELLED


class FlickerCounter:
    """Counts pixels whose predicted class changes from one frame to the next although the true class does not."""

    def __init__(self) -> None:
        self.steady = self.changed = 0
        self._last: Optional[tuple[np.ndarray, np.ndarray]] = None

    def add(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Count the next frame of a video, both (H, W) uint8."""
        if self._last is not None:
            last_truth, last_predicted = self._last
            steady = (truth == last_truth) & (truth != UNLABELLED)
            self.steady += int(steady.sum())
            self.changed += int((steady & (predicted != last_predicted)).sum())
        self._last = truth, predicted

    def cut(self) -> None:
        """The next frame begins another video."""
        self._last = None

    @property
    def share(self) -> float:
        """Changed among the steady pixels, 0..1; NaN before there were any."""
        return self.changed / self.steady if self.steady else float('nan')
