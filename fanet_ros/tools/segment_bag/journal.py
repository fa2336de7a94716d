# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Progress on a bag: masks in the order of their images, appended to one file that survives a kill."""
from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Optional

import cv2
import numpy as np

from fanet_ros.atomic_file import write_json
from fanet_ros.bags.errors import BagError
from fanet_ros.file_lock import lock_file

# Header of a record: length and CRC-32 of its content. Content: b'M' and a PNG, or b'R' and why there is no mask.
HEADER = struct.Struct('<II')


class Journal:
    """The folder OUT.partial: settings in state.json, finished masks in masks.journal. One process at a time.

    A truncated record is detected by its length or checksum and dropped when the journal is reopened, with what follows it; all
    records if the settings were lost, as in a power cut.

    :param settings: everything the masks depend on; those of an existing folder must be equal
    :raises BagError: the folder has other settings, or is in use by another process
    :raises OSError: it cannot be written
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        try:
            self._lock = lock_file(folder / 'lock')
        except BlockingIOError:
            raise BagError(f'{folder} is in use by another process: wait for it, or stop it') from None
        self._path = folder / 'masks.journal'
        self._check_settings(settings)
        self._path.touch()
        self.done = 0
        self.reasons: dict[str, int] = {}
        self.keep()
        self._file: BinaryIO = open(self._path, 'ab')

    def keep(self, count: Optional[int] = None) -> None:
        """Drop what comes after the first `count` images; None: only what is truncated."""
        self.done, self.reasons, end = 0, {}, 0
        for content, end in islice(_records(self._path), count):        # noqa: B007  its last value is used
            self.done += 1
            self._count(content)
        os.truncate(self._path, end)

    def add_mask(self, labels: np.ndarray) -> None:
        """Append the mask of the next image, (H, W) uint8."""
        self.add_encoded(encoded(labels))

    def add_encoded(self, mask: bytes) -> None:
        """Append the mask of the next image, from encoded()."""
        self._append(b'M' + mask)

    def add_reason(self, reason: str) -> None:
        """Record why the next image has no mask."""
        self._append(b'R' + reason.encode())

    def masks(self) -> Iterator[np.ndarray | None]:
        """Yield for each image in order its mask, (H, W) uint8, or None."""
        self._file.flush()
        for content, _ in _records(self._path):
            yield (cv2.imdecode(np.frombuffer(content, np.uint8, offset=1), cv2.IMREAD_UNCHANGED)
                   if content[:1] == b'M' else None)

    def close(self) -> None:
        """Unlock the folder. What was written stays."""
        try:
            self._file.close()
        finally:
            self._lock.close()

    def remove(self) -> None:
        """Remove the folder, once its masks are elsewhere, and unlock it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()
        with suppress(OSError):         # not empty: another process uses it
            self.folder.rmdir()         # NFS keeps a removed file there until it is closed

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _append(self, content: bytes) -> None:
        # Hand each record to the kernel at once, so that it survives a kill of this process.
        self._file.write(HEADER.pack(len(content), zlib.crc32(content)) + content)
        self._file.flush()
        self.done += 1
        self._count(content)

    def _count(self, content: bytes) -> None:
        if content[:1] == b'R':
            reason = content[1:].decode()
            self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def _check_settings(self, settings: dict[str, Any]) -> None:
        path = self.folder / 'state.json'
        settings = json.loads(json.dumps(settings))
        begun = _read_settings(path)
        if begun is not None:
            changed = [f'{key} was {begun.get(key)}, is {settings.get(key)}'
                       for key in sorted({*begun, *settings}) if begun.get(key) != settings.get(key)]
            if changed:
                raise BagError(f'{self.folder} was started with other settings ({"; ".join(changed)}): run the same '
                               'command again, or remove that folder')
            return
        self._path.unlink(missing_ok=True)
        write_json(path, settings)


def _read_settings(path: Path) -> Optional[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def encoded(labels: np.ndarray) -> bytes:
    """A mask, (H, W) uint8, as the journal keeps it: a PNG."""
    return cv2.imencode('.png', labels, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes()


def _records(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield the content of each complete record and the offset of its end in the file."""
    end = 0
    with open(path, 'rb') as file:
        while True:
            header = file.read(HEADER.size)
            if len(header) < HEADER.size:
                return
            length, checksum = HEADER.unpack(header)
            content = file.read(length)
            if len(content) < length or zlib.crc32(content) != checksum or not content:
                return
            end += HEADER.size + length
            yield content, end
