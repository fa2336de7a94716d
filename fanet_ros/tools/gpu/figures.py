# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of a step: a file of one JSON object a line, each written when it is known, so that none is lost."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Figure = dict[str, Any]


class Figures:
    """Adds to the file of a step, which begins empty."""

    def __init__(self, path: Path) -> None:
        self._file = path.open('w', encoding='utf-8')

    def add(self, kind: str, **values: Any) -> None:
        """Write a figure: what `kind` of figure, and its values, units in their names."""
        self._file.write(json.dumps({'figure': kind, **values}) + '\n')
        self._file.flush()
        os.fsync(self._file.fileno())


def read_figures(path: Path) -> list[Figure]:
    """All figures of the file that are whole; none if there is no file."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:      # the step was ended while it wrote
            break
    return found
