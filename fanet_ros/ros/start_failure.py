"""How a node that cannot start, or cannot go on, says so."""
from __future__ import annotations

import sys


def fail(name: str, error: Exception) -> int:
    """Print `error` as one line on stderr, under the node's `name`; returns the exit code, 1."""
    print(f'{name}: {" ".join(str(error).split())}', file=sys.stderr)
    return 1
