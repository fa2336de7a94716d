# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files of a rosbag2: which to open, and compressed ones unpacked."""
from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from fanet_ros.bags.errors import BagError
from fanet_ros.bags.metadata import METADATA
from fanet_ros.bags.remote_path import AnyPath

STORAGE, PACKED = ('.mcap', '.db3'), '.zstd'


def is_bag(path: AnyPath) -> bool:
    """Whether `path` looks like a rosbag2, complete or not, or like a ROS 1 bag."""
    if path.is_dir():
        return (path / METADATA).is_file() or any(map(_is_storage, path.iterdir()))
    return path.is_file() and (_is_storage(path) or path.suffix == '.bag')


def files_to_open(path: AnyPath) -> list[AnyPath]:
    """Paths to open for `path`: a bag's folder or file itself, or all files of a folder without metadata.yaml.

    :raises BagError: missing, not a rosbag2, or a ROS 1 bag
    """
    if not path.exists():
        raise refusal(path, 'it does not exist; expected the folder of a rosbag2, or its .mcap or .db3 file')
    if path.suffix == '.bag':
        raise refusal(path, f'it is a ROS 1 bag; convert it with: rosbags-convert --src {path} --dst {path.stem}')
    if path.is_dir() and not (path / METADATA).is_file():
        files = sorted((file for file in path.iterdir() if _is_storage(file)), key=_number)
        if not files:
            raise refusal(path, 'not a rosbag2; expected a folder written by ros2 bag record, or its .mcap or .db3 file')
        return files
    if not path.is_dir() and not _is_storage(path):
        raise refusal(path, 'not a rosbag2; expected its folder, or an .mcap or .db3 file, optionally compressed with zstd')
    return [path]


def unpacked(files: list[AnyPath], stack: ExitStack) -> list[AnyPath]:
    """The files, with compressed ones unpacked into a folder that `stack` removes."""
    if not any(file.suffix == PACKED for file in files):
        return files
    from backports import zstd  # a dependency of rosbags, but not of its first releases

    folder = stack.enter_context(TemporaryDirectory(prefix='fanet_ros_bag_'))
    targets: list[AnyPath] = [Path(folder, file.stem) if file.suffix == PACKED else file for file in files]
    for file, target in zip(files, targets):
        if file != target:
            with file.open('rb') as source, zstd.open(source, 'rb') as packed, open(str(target), 'wb') as written:
                shutil.copyfileobj(packed, written)
    return targets


def refusal(path: AnyPath, why: str) -> BagError:
    """The error that a bag cannot be read."""
    return BagError(f'cannot read the bag {path}: {why}')


def _is_storage(file: AnyPath) -> bool:
    return file.name.removesuffix(PACKED).endswith(STORAGE)


def _number(file: AnyPath) -> tuple[int, str]:
    """Sort key for the numbered files of a split bag: _10 comes after _9."""
    digits = PurePosixPath(file.name.removesuffix(PACKED)).stem.rpartition('_')[2]
    return (int(digits) if digits.isdecimal() else 0, file.name)
