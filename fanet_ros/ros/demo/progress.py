# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress on the terminal: bars that move while one looks, and a line now and then in a log file."""
from __future__ import annotations

import sys
import time
from typing import Any, Optional

from tqdm import tqdm

from fanet_ros.bags.recording import TopicNames
from fanet_ros.ros.demo.children import Children
from fanet_ros.ros.demo.recorder_status import StatusFile

POLL_S = 0.1


def progress_bar(description: str, **arguments: Any) -> tqdm:
    """A tqdm bar on stderr."""
    return tqdm(desc=description, mininterval=0.1 if sys.stderr.isatty() else 5.0, **arguments)


def refresh(bar: tqdm) -> None:
    """Show that time passes, where somebody may be looking."""
    if sys.stderr.isatty():
        bar.refresh()


class RecordingProgress:
    """What the recorder has so far, as a bar that counts once frames and masks come in.

    Before that, the processes are still discovering each other.
    """

    def __init__(self, children: Children, status_file: StatusFile, topics: TopicNames, bar: tqdm) -> None:
        self._children = children
        self._status_file = status_file
        self._topics = topics
        self._bar = bar
        self._frames_before: Optional[int] = None

    @property
    def has_begun(self) -> bool:
        """Both frames and masks have been recorded."""
        return self._frames_before is not None

    def poll(self) -> int:
        """Wait a moment, show the newest counts, return the masks'. Raises DemoError when a process died."""
        time.sleep(POLL_S)
        self._children.check()
        status = self._status_file.latest()
        masks, frames = (status.topic(name).messages for name in (self._topics.mask, self._topics.camera))
        if masks and frames and self._frames_before is None:
            self._frames_before = max(0, frames - masks)
        if self._frames_before is not None:
            self._bar.set_postfix_str(f'{masks} masks', refresh=False)
            counted = frames - self._frames_before
            self._bar.update((counted if self._bar.total is None else min(counted, self._bar.total)) - self._bar.n)
        refresh(self._bar)
        return masks
