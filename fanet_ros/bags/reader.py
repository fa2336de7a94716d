# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbag2 recordings as they come: a folder with or without metadata.yaml, one of its files, packed or not."""
from __future__ import annotations

import shutil
from collections.abc import Collection, Generator
from heapq import merge
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional, Union, cast

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

STORAGE, PACKED = ('.mcap', '.db3'), '.zstd'
METADATA = 'metadata.yaml'


class BagReadError(ValueError):
    """A bag cannot be read; one line that says why and what to give."""


class BagReader(AnyReader):
    """An open rosbag2. Use as a context manager, or close() it. Reads raw messages in the order of their recording.

    Several files without a metadata.yaml are read as the one bag that they were. Types whose definition is not in the bag are
    those of Jazzy.

    :raises BagReadError: missing, not a rosbag2, of ROS 1, or damaged
    """

    def __init__(self, path: Union[str, Path]) -> None:
        path = Path(path).expanduser()
        self._folder: Optional[TemporaryDirectory[str]] = None
        self._parts: list[Connection] = []
        try:
            super().__init__([self._unpacked(file) for file in _files(path)],
                             default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._open_all()
        except BagReadError:
            raise
        except Exception as error:      # damaged files provoke errors of many kinds
            self._remove_folder()
            text = ' '.join(str(error).split()) or type(error).__name__
            if path.is_dir() and not (path / METADATA).is_file():
                text = f'it has no {METADATA}, and one of its files is damaged: {text}'
            raise _refusal(path, f'{text}; expected a complete rosbag2 (mcap or sqlite3); ros2 bag reindex mends some') from None

    def __enter__(self) -> BagReader:
        return self

    def _open_all(self) -> None:
        """Open all files; each topic is one connection, in whatever files it is."""
        self.open()
        if len(self.readers) > 1:
            self._parts = self.connections
            topics: dict[tuple[str, str], list[Connection]] = {}
            for part in self._parts:
                topics.setdefault((part.topic, part.msgtype), []).append(part)
            self.connections = [parts[0]._replace(id=number, msgcount=sum(part.msgcount for part in parts))
                                for number, parts in enumerate(topics.values(), 1)]

    def messages(self, connections: Collection[Connection] = (), start: Optional[int] = None,
                 stop: Optional[int] = None) -> Generator[tuple[Connection, int, bytes], None, None]:
        """(connection, time of recording in ns, message as CDR); no `connections`: all; `stop` itself is left out."""
        if not self._parts:
            yield from super().messages(connections, start, stop)
            return
        whole = {(item.topic, item.msgtype): item for item in connections or self.connections}
        parts: dict[int, list[Connection]] = {}     # by file, in their order, which decides what was received in one instant
        for part in self._parts:
            if (part.topic, part.msgtype) in whole:
                parts.setdefault(id(part.owner), []).append(part)
        files = [cast(AnyReader, of_file[0].owner).messages(of_file, start, stop) for of_file in parts.values()]
        for part, received_ns, raw in merge(*files, key=lambda message: message[1]):
            yield whole[part.topic, part.msgtype], received_ns, raw

    def deserialize(self, rawdata: bytes, typ: str) -> Any:
        """A message of type `typ`, as an object with its fields."""
        return super().deserialize(rawdata, typ)

    def close(self) -> None:
        """Close the files."""
        super().close()
        self._remove_folder()

    def _unpacked(self, file: Path) -> Path:
        if file.suffix != PACKED:
            return file
        from backports import zstd  # rosbags brings it along, but not its first releases

        if self._folder is None:
            self._folder = TemporaryDirectory(prefix='fanet_ros_bag_')
        target = Path(self._folder.name, file.stem)
        with zstd.open(file, 'rb') as packed, open(target, 'wb') as unpacked:
            shutil.copyfileobj(packed, unpacked)
        return target

    def _remove_folder(self) -> None:
        if self._folder is not None:
            self._folder.cleanup()


def is_bag(path: Path) -> bool:
    """A rosbag2, whole or not, or what looks like one of ROS 1."""
    if path.is_dir():
        return (path / METADATA).is_file() or any(map(_is_storage, path.iterdir()))
    return path.is_file() and (_is_storage(path) or path.suffix == '.bag')


def _files(path: Path) -> list[Path]:
    """What to open for `path`: a bag's folder or file itself, or all files of a folder that has no metadata.yaml."""
    if not path.exists():
        raise _refusal(path, 'it does not exist; expected the folder of a rosbag2, or its .mcap or .db3 file')
    if path.suffix == '.bag':
        raise _refusal(path, f'it is one of ROS 1; convert it with: rosbags-convert --src {path} --dst {path.stem}')
    if path.is_dir() and not (path / METADATA).is_file():
        files = sorted(filter(_is_storage, path.iterdir()), key=_number)
        if not files:
            raise _refusal(path, 'not a rosbag2; expected the folder that ros2 bag record made, or its .mcap or .db3 file')
        return files
    if not path.is_dir() and not _is_storage(path):
        raise _refusal(path, 'not a rosbag2; expected its folder, or an .mcap or .db3 file, packed with zstd or not')
    return [path]


def _refusal(path: Path, why: str) -> BagReadError:
    return BagReadError(f'cannot read the bag {path}: {why}')


def _is_storage(file: Path) -> bool:
    return file.name.removesuffix(PACKED).endswith(STORAGE)


def _number(file: Path) -> tuple[int, str]:
    """Files of a split bag end with their number, of which _10 comes after _9."""
    digits = file.name.partition('.')[0].rpartition('_')[2]
    return (int(digits) if digits.isdecimal() else 0, file.name)
