# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration frames, decoded once for all engines of a build."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fanet_ros.inference.engines.network_setup import CalibrationImages


class KeptFrames:
    """CalibrationImages that are decoded once within kept(), however many engines are calibrated on them, and not kept longer: they
    take gigabytes. Each thread keeps its own.

    :param source: decodes the frames at every call
    """

    def __init__(self, source: CalibrationImages) -> None:
        self._source = source
        self._thread = threading.local()

    def __call__(self, height: int, width: int) -> Iterator[np.ndarray]:
        """See CalibrationImages."""
        kept = getattr(self._thread, 'kept', None)
        if kept is None:
            return self._source(height, width)
        if (height, width) not in kept:
            kept[height, width] = list(self._source(height, width))
        return iter(kept[height, width])

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the frames that this thread decodes; within another kept() nothing changes."""
        if hasattr(self._thread, 'kept'):
            yield
            return
        self._thread.kept = {}
        try:
            yield
        finally:
            del self._thread.kept
