# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The demo's child processes: started with a log file each, watched, and ended in order."""
from __future__ import annotations

import ctypes
import signal
import subprocess
from collections import deque
from pathlib import Path
from typing import Mapping, Optional, Sequence

from fanet_ros.ros.demo.environment import DemoError

STOP_TIMEOUT_S = 10.0
SHOWN_LOG_LINES = 15
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)      # here: after a fork beside other threads nothing should be loaded


class Child:
    """One process; what it prints goes to `log_path`.

    `may_end`: to end by itself with exit code 0 is what it is expected to do.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log_path: Path,
                 may_end: bool = False) -> None:
        self.name = name
        self.log_path = log_path
        self._may_end = may_end
        with open(log_path, 'wb') as log:
            # In a session of its own Ctrl-C does not reach it: the demo ends its children, in order.
            self._process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=_end_with_parent)     # noqa: PLW1509  one call of the kernel

    @property
    def exit_code(self) -> Optional[int]:
        """None while it runs."""
        return self._process.poll()

    @property
    def has_died(self) -> bool:
        """It has ended though nobody asked it to."""
        return self.exit_code is not None and not (self._may_end and self.exit_code == 0)

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C would, and wait; one that does not listen is killed."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self) -> DemoError:
        """Why it died, as far as its log tells."""
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            lines = deque(log, SHOWN_LOG_LINES)
        shown = ''.join(f'  | {line.rstrip()}\n' for line in lines) or '  | (its log is empty)\n'
        return DemoError(
            f'{self.name} ended with exit code {self.exit_code}; the last lines of {self.log_path}:\n{shown}')


class Children:
    """Processes that end together: leaving the context stops them, the last started one first."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        self._children.append(child)
        return child

    def check(self) -> None:
        """Raises DemoError when one has died."""
        for child in self._children:
            if child.has_died:
                raise child.failure()

    def stop(self, child: Child) -> None:
        """Stop one now, if that is not done yet. Raises DemoError when it ended with a failure."""
        if child in self._children:
            child.stop()
            self._children.remove(child)
            if child.exit_code:
                raise child.failure()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *exc_info: object) -> None:
        for child in reversed(self._children):
            child.stop()


def _end_with_parent() -> None:
    """Linux: the kernel ends the child should the demo be killed outright. Runs in the child before exec."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
