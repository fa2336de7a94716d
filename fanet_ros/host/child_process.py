# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that only their parent stops: Ctrl-C in the terminal does not reach them, and they end with their parent."""
from __future__ import annotations

import ctypes
import signal
import subprocess
from typing import Any, Sequence

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)      # loaded here: loading after a fork is unsafe in a multi-threaded process


def start_child(command: Sequence[str], **options: Any) -> subprocess.Popen:
    """Start `command` in its own session, without stdin. Call from a thread that outlives the child, such as the main thread.

    If the parent is killed, Linux sends the child SIGTERM.

    :param options: of subprocess.Popen
    :raises OSError: it cannot be started
    """
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True,
                            preexec_fn=_end_with_parent, **options)     # noqa: PLW1509  one call of the kernel


def stop_child(process: subprocess.Popen, timeout_s: float) -> None:
    """Send SIGTERM and wait; kill the process if it does not end within `timeout_s`.

    SIGTERM rather than SIGINT: a Python process that is still importing modules would print a traceback for the latter.
    """
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_with_parent() -> None:
    """Runs in the child before exec."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
