# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of a step: a JSON Lines file, written line by line, so that a killed step loses none."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Figure = dict[str, Any]


class Figures:
    """Writes the file of a step, starting empty."""

    def __init__(self, path: Path) -> None:
        self._file = path.open('w', encoding='utf-8')

    def add(self, kind: str, **values: Any) -> None:
        """Write a figure and sync it to disk; the names of `values` include their units."""
        self._file.write(json.dumps({'figure': kind, **values}) + '\n')
        self._file.flush()
        os.fsync(self._file.fileno())


def read_figures(path: Path) -> list[Figure]:
    """All complete figures of the file; none if there is no file."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding='utf-8').splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:      # the step was killed while writing
            break
    return found
