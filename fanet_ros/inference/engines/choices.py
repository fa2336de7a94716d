# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Remembers which engine was measured as the fastest, in a JSON file of the cache."""
from __future__ import annotations

import json
import logging
import time
from typing import Any, Optional

from fanet_ros.atomic_file import write_json
from fanet_ros.inference.engines.cache import cache_directory

LOG = logging.getLogger(__name__)
MAX_OTHER_CORES = 0.3       # kept busy by other processes; above this, a measurement is unreliable
RETRY_S = 600.0             # an unreliable choice is measured again after this time


class EngineChoices:
    """The choices by situation: a text of network, precision, processor and versions."""

    def __init__(self) -> None:
        self._path = cache_directory() / 'fastest_engine.json'

    def get(self, situation: str) -> Optional[str]:
        """The engine chosen in this situation; None if there is none, or it is due to be measured again."""
        entry = self._read().get(situation)
        return None if entry is None or _is_due(entry) else entry['engine']

    def put(self, situation: str, engine: str, other_cores: float, *, lacked_space: bool = False) -> None:
        """Store a choice.

        :param other_cores: number of cores that other processes kept busy during the measurement
        :param lacked_space: whether other engines could not be measured because the disk was full, for example
        """
        if lacked_space:
            LOG.warning(f'{engine} was chosen while others could not be stored in the cache: they will be measured again, in '
                        f'{RETRY_S / 60:.0f} minutes at the earliest')
        elif other_cores > MAX_OTHER_CORES:
            LOG.warning(f'{engine} was chosen while other processes kept {other_cores:.1f} cores busy: it will be measured again, '
                        f'in {RETRY_S / 60:.0f} minutes at the earliest')
        entry = {'engine': engine, 'other_busy_cores': round(other_cores, 2), 'time_s': round(time.time()),
                 **({'lacked_space': True} if lacked_space else {})}
        self._write({**self._read(), situation: entry})

    def forget_due(self) -> bool:
        """Drop unreliable choices that are due to be measured again; returns whether there were any."""
        content = self._read()
        kept = {key: entry for key, entry in content.items() if not _is_due(entry)}
        if len(kept) < len(content):
            self._write(kept)
        return len(kept) < len(content)

    def _write(self, content: dict[str, dict[str, Any]]) -> None:
        try:
            write_json(self._path, content)
        except OSError as error:        # such as a full disk
            LOG.warning(f'{self._path} cannot be written ({error.strerror or error}): the engines will be measured again')

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            content = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return {key: entry for key, entry in content.items() if isinstance(entry, dict) and 'engine' in entry} \
            if isinstance(content, dict) else {}


def _is_due(entry: dict[str, Any]) -> bool:
    is_unreliable = entry.get('other_busy_cores', 0.0) > MAX_OTHER_CORES or entry.get('lacked_space', False)
    return is_unreliable and time.time() - entry.get('time_s', 0.0) > RETRY_S
