# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a command ends: its exit code, and SIGTERM as Ctrl-C for long work that leaves behind from where it can go on."""
from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import Callable, Iterator, Optional


def exit_code_of(name: str, work: Callable[[], Optional[int]], *, stopped: str = 'stopped',
                 remedy: Optional[Callable[[OSError], str]] = None,
                 errors: tuple[type[Exception], ...] = (ValueError, OSError)) -> int:
    """What `work` returns, 0 for None; 1 with one line on stderr after one of `errors`; 130 when interrupted.

    :param name: of the command, at the beginning of that line
    :param stopped: told when interrupted
    :param remedy: what to do about an error of the system, such as a full disk
    """
    try:
        return work() or 0
    except KeyboardInterrupt:
        print(f'\n{stopped}', file=sys.stderr)
        return 130
    except errors as error:
        text = str(error)
        if remedy is not None and isinstance(error, OSError):
            where = f' {error.filename}' if error.filename else ''
            text = f'{error.strerror or error}{where}: {remedy(error)}'
        print(f'{name}: {" ".join(text.split())}', file=sys.stderr)
        return 1


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within it SIGTERM raises KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
