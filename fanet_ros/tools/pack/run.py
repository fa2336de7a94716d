# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pack the files that a recipe reads into volumes, and unpack them."""
from __future__ import annotations

import argparse
import tempfile
import zipfile
from pathlib import Path
from typing import Iterable, Iterator, Sequence

from fanet_ros.datasets import Entry, fingerprints
from fanet_ros.datasets.class_sets import ClassSets
from fanet_ros.datasets.fingerprints import TRAINING_FRAMES
from fanet_ros.datasets.layouts import class_map_path, find_class_map, load_dataset
from fanet_ros.model import resolve_checkpoint
from fanet_ros.package_share import share_directory
from fanet_ros.tools.pack.slim import slim_copies
from fanet_ros.tools.train.command import find_recipe
from fanet_ros.training import imagenet_encoder
from fanet_ros.training.config import TrainingConfig

OVERHEAD_BYTES = 512        # upper bound per file in a zip file, for names as long as ours


def entries_of(config: TrainingConfig) -> tuple[list[Entry], list[Entry]]:
    """Entries of the recipe's training data and of its validation data.

    :raises DatasetError: unusable data set
    """
    class_map = find_class_map(config.class_map)
    sets = ClassSets(len(class_map))
    trained, measured = ([entry for item in items for entry in load_dataset(item, class_map, sets=sets).entries]
                         for items in (config.data, config.validation))
    return trained, measured


def files_of(config: TrainingConfig, entries: Iterable[Entry]) -> list[Path]:
    """All files that training with this recipe reads and that the package does not ship, each once."""
    found = dict.fromkeys(path for entry in entries for path in entry.files)
    for item in (*config.data, *config.validation):
        if item.layout == 'bag':
            bag = Path(item.path).expanduser()
            found.update(dict.fromkeys(sorted(path for path in (bag, *bag.rglob('*')) if path.is_file())))
        if item.soft_labels:
            found[Path(item.soft_labels).expanduser()] = None
    maps = config.class_map, *(item.class_map for item in (*config.data, *config.validation))
    named = [class_map_path(name) for name in maps if name]
    if config.init and config.init != imagenet_encoder.NAME:
        named.append(resolve_checkpoint(config.init))
    found.update(dict.fromkeys(path for path in named if share_directory() not in path.parents))
    return list(found)


def volumes(files: Iterable[Path], max_bytes: int, slim: Path) -> Iterator[list[Path]]:
    """Group the files, in order, into volumes of at most `max_bytes`.

    :param slim: folder with smaller copies of some of the files, which are used in their place
    :raises ValueError: a file is larger than a volume, or not below the current directory
    """
    volume: list[Path] = []
    used = 0
    for path in files:
        if path.is_absolute() or '..' in path.parts:
            raise ValueError(f'{path}: expected a path below the current directory, as it would be on the other machine')
        size = _source(path, slim).stat().st_size + OVERHEAD_BYTES
        if size > max_bytes:
            raise ValueError(f'{path} has {size / 1e6:.1f} MB, a volume at most {max_bytes / 1e6:.1f}: raise --max-mb, or '
                             'make it smaller (soft_labels: --stride)')
        if volume and used + size > max_bytes:
            yield volume
            volume, used = [], 0
        volume.append(path)
        used += size
    if volume:
        yield volume


def write(name: str, files: Iterable[Path], output: Path, max_bytes: int, slim: Path) -> list[Path]:
    """Write NAME_1.zip, NAME_2.zip, ... to `output`, in place of all of an earlier call; returns them. See volumes()."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for number, volume in enumerate(volumes(files, max_bytes, slim), 1):
        path = output / f'{name}_{number}.zip'
        # Images do not compress further. A robot without a clock dates them to 1970, which zip files cannot hold.
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for item in volume:
                archive.write(_source(item, slim), item.as_posix())
        written.append(path)
    number = len(written) + 1
    while (later := output / f'{name}_{number}.zip').is_file():     # of an earlier call: unpacked after these, it would win
        later.unlink()
        number += 1
    return written


def _source(path: Path, slim: Path) -> Path:
    return slim / path if (slim / path).is_file() else path


def unpack(packs: Sequence[Path], into: Path) -> int:
    """Unpack `packs` into the folder `into`; returns the number of files.

    :raises ValueError: a file is missing or not a pack
    """
    count = 0
    for path in packs:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(into)        # keeps to `into`, whatever the names in the archive say
                count += len(archive.namelist())
        except (OSError, zipfile.BadZipFile) as error:
            raise ValueError(f'{path} cannot be unpacked: {error}') from None
    return count


def run(arguments: argparse.Namespace) -> None:
    """Pack or unpack, as the command line says.

    :raises ValueError: unusable recipe, data or packs
    """
    if arguments.unpack:
        print(f'{unpack(arguments.unpack, arguments.into)} files unpacked into {arguments.into}')
        return
    recipe = find_recipe(arguments.recipe)
    config = TrainingConfig.load(recipe, arguments.set)
    trained, measured = entries_of(config)
    files = files_of(config, [*trained, *measured])
    with tempfile.TemporaryDirectory() as scratch:
        slim = Path(scratch)
        if arguments.quality is not None:
            # The checkpoint's frame fingerprints must be those of the original bytes.
            (slim / TRAINING_FRAMES).write_text(fingerprints.to_text(trained))
            files.insert(0, Path(TRAINING_FRAMES))
            images = {entry.files[0] for entry in (*trained, *measured) if entry.files}
            slim_copies(files, images, arguments.quality, slim)
        for path in write(recipe.stem, files, arguments.output, int(arguments.max_mb * 1e6), slim):
            print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')
