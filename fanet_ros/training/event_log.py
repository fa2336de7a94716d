# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training curves for TensorBoard, if it is installed (pip install tensorboard)."""
from __future__ import annotations

from pathlib import Path
from typing import Any


class EventLog:
    """Writes scalars into `folder`; does nothing without TensorBoard.

    :param iteration: where the run starts or resumes; what an earlier process wrote after it is superseded
    """

    def __init__(self, folder: Path, iteration: int) -> None:
        self._writer: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
            self._writer = SummaryWriter(str(folder), purge_step=iteration)
        except Exception:       # TensorBoard or a dependency is incompatible: no training should fail because of that
            pass

    def write(self, iteration: int, values: dict[str, float]) -> None:
        """Add one point to each curve."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, iteration)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
