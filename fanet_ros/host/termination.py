# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How commands end: exit codes, and SIGTERM handled like Ctrl-C for long jobs that can be resumed."""
from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from fanet_ros.error_text import error_text


def exit_code_of(name: str, work: Callable[[], Optional[int]], *, stopped: str = 'stopped',
                 remedy: Optional[Callable[[OSError], str]] = None,
                 errors: tuple[type[Exception], ...] = (ValueError, OSError), failure: int = 1) -> int:
    """Run `work`; returns its result (0 for None), `failure` after one of `errors`, with one line on stderr, 130 when interrupted.

    :param name: of the command; that line starts with it
    :param stopped: message printed when interrupted
    :param remedy: returns what to do about a system error, such as a full disk
    """
    try:
        return work() or 0
    except KeyboardInterrupt:
        print(f'\n{stopped}', file=sys.stderr)
        return 130
    except errors as error:
        text = error_text(error)
        if remedy is not None and isinstance(error, OSError):
            where = f' {error.filename}' if error.filename else ''
            text = f'{error.strerror or error}{where}: {remedy(error)}'
        print(f'{name}: {" ".join(text.split())}', file=sys.stderr)
        return failure


def exit_on_sigterm() -> None:
    """Make SIGTERM leave the program through all `finally` blocks, so that no child process is left behind; exit code 143."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within this context SIGTERM raises KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
