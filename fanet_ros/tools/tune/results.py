# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements so far, in a file that survives an interruption."""
from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from fanet_ros.atomic_file import write_json
from fanet_ros.file_lock import lock_file
from fanet_ros.tools.tune.candidates import Candidate

RESULTS, LOCK = 'results.json', 'lock'
FRAMES, CONVERTED = 'frames', 'converted'       # folders that are removed and written again
TOLERATED_LOAD = 0.1        # cores that other processes may keep busy while a candidate is measured


@dataclass(frozen=True)
class Row:
    """One candidate with its figures; `error` says why it has none.

    Quality is 0..1; times are per frame, from pixels to labels. memory_mib is the peak resident size of the process
    while it ran, build_memory_mib while the engine was built; busy_cores: CPU cores that other processes kept busy.
    """

    candidate: Candidate
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    fps: float = 0.0
    memory_mib: float = 0.0
    build_memory_mib: float = 0.0
    gpu_memory_mib: Optional[float] = None
    mean_iou: float = 0.0
    pixel_agreement: float = 0.0
    build_s: float = 0.0
    timings: int = 0
    engine_description: str = ''
    busy_cores: Optional[float] = None
    error: str = ''

    @property
    def device_memory_mib(self) -> float:
        """GPU memory if it ran on a GPU, else memory of the process."""
        return self.memory_mib if self.gpu_memory_mib is None else self.gpu_memory_mib

    @property
    def is_disturbed(self) -> bool:
        """Whether other processes were busy meanwhile, so that its times are too long."""
        return self.busy_cores is not None and self.busy_cores > TOLERATED_LOAD

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self.candidate), **{key: value for key, value in vars(self).items() if key != 'candidate'}}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Row:
        keys = Candidate.__dataclass_fields__
        return cls(Candidate(**{key: content[key] for key in keys}),
                   **{key: value for key, value in content.items() if key not in keys})


@dataclass
class Results:
    """The file results.json of a folder, locked by one process at a time. Use as a context manager.

    :param settings: everything the figures depend on; those of an existing folder must be equal
    :raises ValueError: the folder has other settings, is in use by another process, is damaged, or holds frames of somebody else
    """

    folder: Path
    settings: dict[str, Any]
    is_begun: bool = False
    rows: dict[Candidate, Row] = field(default_factory=dict)

    def __enter__(self) -> Results:
        if not any((self.folder / name).exists() for name in (RESULTS, LOCK)):
            for name in (FRAMES, CONVERTED):
                if (self.folder / name).exists():
                    raise ValueError(f'{self.folder / name} was not written by tune: choose another --output')
        try:
            self._lock = lock_file(self.folder / LOCK)
        except BlockingIOError:
            raise ValueError(f'{self.folder} is in use by another process: wait for it, or stop it') from None
        try:
            self._load()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        if not self.is_begun:       # leave nothing that a corrected command would stumble over
            shutil.rmtree(self.folder / FRAMES, ignore_errors=True)
            (self.folder / LOCK).unlink(missing_ok=True)
        self._lock.close()
        if not self.is_begun:
            with suppress(OSError):     # it holds something else, or is the current one
                self.folder.rmdir()     # NFS keeps a removed file there until it is closed

    def begin(self, **more: Any) -> None:
        """Store the settings, with `more` that are known only now.

        :raises ValueError: the folder has other settings
        """
        self._compare({**self.settings, **more})
        self.settings.update(more)
        self._save()

    def add(self, row: Row) -> None:
        """Store a row; it is on disk when this returns."""
        self.rows[row.candidate] = row
        self._save()

    def is_measured(self, candidate: Candidate) -> bool:
        """Whether it has figures; failed candidates are tried again."""
        return candidate in self.rows and not self.rows[candidate].error

    def _load(self) -> None:
        self.settings, self._begun = json.loads(json.dumps(self.settings)), {}
        path = self.folder / RESULTS
        if not path.is_file():
            return
        self.is_begun = True
        try:
            content = json.loads(path.read_text())
            self._begun, rows = dict(content['settings']), [Row.from_dict(item) for item in content['rows']]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f'{path} is damaged: remove {self.folder}, or choose another --output') from None
        self._compare(self.settings)
        self.rows = {row.candidate: row for row in rows}

    def _compare(self, settings: dict[str, Any]) -> None:
        changed = [f'{key} was {self._begun.get(key)}, is {value}'
                   for key, value in settings.items() if self.is_begun and self._begun.get(key) != value]
        if changed:
            raise ValueError(f'{self.folder} was started with other settings ({"; ".join(changed)}): run the same command again, '
                             'remove that folder, or choose another --output')

    def _save(self) -> None:
        self.is_begun, self._begun = True, dict(self.settings)
        write_json(self.folder / RESULTS,
                   {'settings': self.settings, 'rows': [row.as_dict() for row in self.rows.values()]})
