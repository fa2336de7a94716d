# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress output: live bars on a terminal, an occasional line in a log file."""
from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from fanet_ros.ros.demo.children import Children
from fanet_ros.ros.demo.observer import Observer

POLL_S = 0.1


def progress_bar(description: str, **arguments: Any) -> tqdm:
    """A tqdm bar on stderr; `arguments` are passed to tqdm."""
    return tqdm(desc=description, mininterval=0.1 if sys.stderr.isatty() else 5.0, **arguments)


def refresh(bar: tqdm) -> None:
    """Redraw the elapsed time, on a terminal only."""
    if sys.stderr.isatty():
        bar.refresh()


class RecordingProgress:
    """Progress bar of the recorded frames.

    Counting starts with the first mask: before, the processes are still discovering each other.
    """

    def __init__(self, children: Children, observer: Observer, bar: tqdm) -> None:
        self._children, self._observer, self._bar = children, observer, bar

    def poll(self) -> int:
        """Process messages for POLL_S, update the bar, return the number of masks.

        :raises DemoError: a child process has died
        """
        self._observer.watch(POLL_S)
        self._children.check()
        masks, frames = self._observer.masks, self._observer.frames
        if masks:
            self._bar.set_postfix_str(f'{masks} masks', refresh=False)
            self._bar.update((frames if self._bar.total is None else min(frames, self._bar.total)) - self._bar.n)
        refresh(self._bar)
        return masks
