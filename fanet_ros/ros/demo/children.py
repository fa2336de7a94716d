# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes of the demo: each with its own log file, monitored, and stopped in reverse order."""
from __future__ import annotations

import signal
import subprocess
from collections import deque
from pathlib import Path
from typing import Mapping, Optional, Sequence

from fanet_ros.host.child_process import start_child
from fanet_ros.ros.demo.environment import DemoError

STOP_TIMEOUT_S = 10.0
SHOWN_LOG_LINES = 15


class Child:
    """One process with its output in a log file.

    :param environment: the complete environment of the process
    :param log_path: file for stdout and stderr, overwritten
    :param may_end: whether exiting with code 0 before stop() is expected
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log_path: Path,
                 may_end: bool = False) -> None:
        self.name = name
        self.log_path = log_path
        self._may_end = may_end
        with open(log_path, 'wb') as log:
            self._process = start_child(command, env=dict(environment), stdout=log, stderr=subprocess.STDOUT)

    @property
    def exit_code(self) -> Optional[int]:
        """Exit code, None while running."""
        return self._process.poll()

    @property
    def has_died(self) -> bool:
        return self.exit_code is not None and not (self._may_end and self.exit_code == 0)

    def stop(self) -> None:
        """Send SIGINT and wait; kill it if it does not end within STOP_TIMEOUT_S."""
        if self.exit_code is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self) -> DemoError:
        """Error with its exit code and the last lines of its log."""
        with open(self.log_path, encoding='utf-8', errors='replace') as log:
            lines = deque(log, SHOWN_LOG_LINES)
        shown = ''.join(f'  | {line.rstrip()}\n' for line in lines) or '  | (its log is empty)\n'
        return DemoError(
            f'{self.name} ended with exit code {self.exit_code}; the last lines of {self.log_path}:\n{shown}')


class Children:
    """Context manager that stops its processes on exit, the last started first."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        self._children.append(child)
        return child

    def check(self) -> None:
        """Check that no process has died.

        :raises DemoError: one has ended unexpectedly
        """
        for child in self._children:
            if child.has_died:
                raise child.failure()

    def stop(self, child: Child) -> None:
        """Stop one process now, unless already done.

        :raises DemoError: it ended with a non-zero exit code
        """
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
