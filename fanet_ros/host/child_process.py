# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that only their parent stops: Ctrl-C in the terminal does not reach them, and they end with their parent."""
from __future__ import annotations

import shutil
import subprocess
from typing import Any, Sequence

# Part of util-linux. Not preexec_fn: it makes Python run its fork hooks, in which a KeyboardInterrupt is lost.
SETPRIV = shutil.which('setpriv')
END_WITH_PARENT = (SETPRIV, '--pdeathsig', 'TERM') if SETPRIV else ()


def start_child(command: Sequence[str], **options: Any) -> subprocess.Popen:
    """Start `command` in its own session, without stdin. Call from a thread that outlives the child, such as the main thread.

    If the parent is killed, Linux sends the child SIGTERM, where setpriv is installed.

    :param command: program and arguments
    :param options: of subprocess.Popen
    """
    return subprocess.Popen([*END_WITH_PARENT, *command], stdin=subprocess.DEVNULL, start_new_session=True, **options)


def stop_child(process: subprocess.Popen, timeout_s: float = 20.0) -> None:
    """Send SIGTERM and wait; kill the process if it does not end within `timeout_s`.

    SIGTERM rather than SIGINT: a Python process that is still importing modules would print a traceback for the latter.
    """
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
