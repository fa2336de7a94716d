# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress on the terminal: bars that move while one looks, and a line now and then in a log file."""
from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from fanet_ros.ros.demo.children import Children
from fanet_ros.ros.demo.observer import Observer

POLL_S = 0.1


def progress_bar(description: str, **arguments: Any) -> tqdm:
    """A tqdm bar on stderr."""
    return tqdm(desc=description, mininterval=0.1 if sys.stderr.isatty() else 5.0, **arguments)


def refresh(bar: tqdm) -> None:
    """Show that time passes, where somebody may be looking."""
    if sys.stderr.isatty():
        bar.refresh()


class RecordingProgress:
    """How many frames there are so far, as a bar that counts once the first mask is out.

    Before that, the processes are still discovering each other.
    """

    def __init__(self, children: Children, observer: Observer, bar: tqdm) -> None:
        self._children, self._observer, self._bar = children, observer, bar

    def poll(self) -> int:
        """Watch a moment, show the newest counts, return the masks'. Raises DemoError when a process died."""
        self._observer.watch(POLL_S)
        self._children.check()
        masks, frames = self._observer.masks, self._observer.frames
        if masks:
            self._bar.set_postfix_str(f'{masks} masks', refresh=False)
            self._bar.update((frames if self._bar.total is None else min(frames, self._bar.total)) - self._bar.n)
        refresh(self._bar)
        return masks
