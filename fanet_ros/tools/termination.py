"""How a command ends: its exit code, and SIGTERM as Ctrl-C for long work that leaves behind from where it can go on."""
from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import Callable, Iterator


def exit_code_of(name: str, work: Callable[[], None]) -> int:
    """0 once `work` is done; 1 with one line on stderr after a ValueError or OSError; 130 when interrupted."""
    try:
        work()
    except (ValueError, OSError) as error:
        print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nstopped', file=sys.stderr)
        return 130
    return 0


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within it SIGTERM raises KeyboardInterrupt."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
