# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the files of checkpoints are; without torch."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Union

from fanet_ros.package_share import share_directory

SUFFIX = '.safetensors'


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message is one line: what was expected, what was given, what to do."""


def resolve_checkpoint(path_or_name: Union[str, Path]) -> Path:
    """Path of a checkpoint given by path or by shipped name.

    :raises CheckpointError: there is no such file; the message lists the names that exist
    """
    given = str(path_or_name)
    path = Path(given).expanduser()
    if path.is_file():
        return path
    if os.sep not in given and not given.endswith(SUFFIX):
        shipped = weights_directory() / f'{given}{SUFFIX}'
        if shipped.is_file():
            return shipped
    names = ', '.join(available_checkpoints()) or 'none'
    raise CheckpointError(
        f'checkpoint {given!r} not found: expected the path of a {SUFFIX} file or one of the shipped names ({names})')


def display_name(path_or_name: Union[str, Path]) -> str:
    """Name to show for a checkpoint: that of its file or, for the default file name of a training, of its folder."""
    path = Path(path_or_name)
    return path.absolute().parent.name if path.stem == 'checkpoint' else path.stem


def available_checkpoints() -> tuple[str, ...]:
    """Names of the checkpoints that this installation ships."""
    return tuple(sorted(path.stem for path in weights_directory().glob(f'*{SUFFIX}')))


def weights_directory() -> Path:
    """Folder of the shipped checkpoints."""
    return share_directory() / 'weights'
