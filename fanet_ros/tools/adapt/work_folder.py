# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work folder of an adaptation: which run it holds, and what of that a changed command makes useless."""
from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

from fanet_ros.atomic_file import write_json

SETTINGS = 'settings.json'
TEACHER, LABELS = 'teacher', 'labels'       # the settings that may change: what was learned from the old ones is removed
SOFT_LABELS = 'frames/soft_labels.npz'
NORM, TEACHING, TAUGHT, TUNING, TUNED = 'norm.safetensors', 'teaching', 'taught.safetensors', 'fine_tuning', 'tuned.safetensors'
LEARNED_FROM = {TEACHER: (SOFT_LABELS, TEACHING, TAUGHT, TUNING, TUNED), LABELS: (TUNING, TUNED)}


def check_settings(work: Path, settings: dict[str, Any]) -> None:
    """Note the settings in the folder, or compare them with those of the run that it holds.

    :raises ValueError: they differ in more than teacher and labels
    """
    path = work / SETTINGS
    if not (work / 'frames' / 'frames.json').is_file():       # nothing to resume
        if path.is_file():      # what is left was learned from frames that are gone
            _remove(work, NORM, TEACHING, TAUGHT, TUNING, TUNED)
        write_json(path, settings, is_durable=True)
        return
    old = json.loads(path.read_text()) if path.is_file() else {}
    for key, value in settings.items():
        moved = key == 'source' and not Path(value).exists()        # the frames are kept: the source may be gone
        if key not in LEARNED_FROM and old.get(key) != value and not moved:
            raise ValueError(f'{work} holds a run with another {key} ({old.get(key)!r}, now {value!r}): use the same, choose '
                             'another --work, or remove the folder')
    changed = [key for key in LEARNED_FROM if old.get(key) != settings.get(key)]
    for key in changed:
        _remove(work, *LEARNED_FROM[key])
    if changed:
        write_json(path, {**old, **{key: settings.get(key) for key in changed}}, is_durable=True)


def with_checksum(path: Path, work: Path) -> str:
    """A file, or a folder of masks, with a checksum of its content; without that of the folder `work`, which may be in it."""
    path, own, checksum = path.resolve(), work.resolve(), 0
    for item in sorted(path.rglob('*.png')) if path.is_dir() else [path]:
        if item.is_file() and own not in item.parents:
            checksum = zlib.crc32(item.read_bytes(), checksum)
    return f'{path}, CRC-32 {checksum:08x}'


def _remove(work: Path, *names: str) -> None:
    for name in names:
        path = work / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
