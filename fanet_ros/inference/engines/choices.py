# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which engine was found the fastest before, kept in a JSON file of the cache."""
from __future__ import annotations

import json
import logging
import os
import time
from typing import Any, Optional

from fanet_ros.inference.engines.cache import cache_directory

LOG = logging.getLogger(__name__)
MAX_OTHER_CORES = 0.3       # kept busy by other processes; beside more, what was measured is doubtful
RETRY_S = 600.0             # a doubtful choice is made again after this time


class EngineChoices:
    """The choices by situation: network, precision, processor and versions, in words."""

    def __init__(self) -> None:
        self._path = cache_directory() / 'fastest_engine.json'

    def get(self, situation: str) -> Optional[str]:
        """The engine chosen in this situation; None if none was, or that choice is to be made again."""
        entry = self._read().get(situation)
        return None if entry is None or _is_due(entry) else entry['engine']

    def put(self, situation: str, engine: str, other_cores: float) -> None:
        """Keep a choice.

        :param other_cores: how many cores other processes kept busy meanwhile
        """
        if other_cores > MAX_OTHER_CORES:
            LOG.warning(f'{engine} was chosen while other processes kept {other_cores:.1f} cores busy: this is measured again, '
                        f'not before {RETRY_S / 60:.0f} minutes from now')
        entry = {'engine': engine, 'other_busy_cores': round(other_cores, 2), 'time_s': round(time.time())}
        self._write({**self._read(), situation: entry})

    def forget_due(self) -> bool:
        """Forget choices that were made beside other work, long enough ago to be made again; whether there were any."""
        content = self._read()
        kept = {key: entry for key, entry in content.items() if not _is_due(entry)}
        if len(kept) < len(content):
            self._write(kept)
        return len(kept) < len(content)

    def _write(self, content: dict[str, dict[str, Any]]) -> None:
        partial = self._path.with_suffix(f'.{os.getpid()}')
        partial.write_text(json.dumps(content, indent=1) + '\n')
        os.replace(partial, self._path)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return {key: entry for key, entry in content.items() if isinstance(entry, dict) and 'engine' in entry} \
            if isinstance(content, dict) else {}


def _is_due(entry: dict[str, Any]) -> bool:
    return entry.get('other_busy_cores', 0.0) > MAX_OTHER_CORES and time.time() - entry.get('time_s', 0.0) > RETRY_S
