"""Packs the files that a recipe reads into volumes, and unpacks them."""
from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import Iterable, Iterator, Sequence

from fanet_ros.model import resolve_checkpoint
from fanet_ros.package_share import share_directory
from fanet_ros.tools.train import find_recipe
from fanet_ros.training import imagenet_encoder
from fanet_ros.training.class_sets import ClassSets
from fanet_ros.training.config import TrainingConfig
from fanet_ros.training.layouts import find_class_map, load_dataset

OVERHEAD_BYTES = 512        # of a file in a zip file, at most, with names as long as ours


def files_of(config: TrainingConfig) -> list[Path]:
    """All files that a training by this recipe reads and the package does not ship, each once.

    :raises DatasetError: a data set that cannot be used
    """
    class_map = find_class_map(config.class_map)
    sets = ClassSets(len(class_map))
    found: dict[Path, None] = {}
    for item in (*config.data, *config.validation):
        for entry in load_dataset(item, class_map, sets=sets).entries:
            found.update(dict.fromkeys(entry.files))
        if item.layout == 'bag':
            found.update(dict.fromkeys(sorted(path for path in Path(item.path).rglob('*') if path.is_file())))
        if item.soft_labels:
            found[Path(item.soft_labels)] = None
    if config.init and config.init != imagenet_encoder.NAME:
        checkpoint = resolve_checkpoint(config.init)
        if share_directory() not in checkpoint.parents:
            found[checkpoint] = None
    return list(found)


def volumes(files: Iterable[Path], max_bytes: int) -> Iterator[list[Path]]:
    """The files in order, as many together as fit.

    :raises ValueError: one is larger than a volume, or lies where no other machine could put it
    """
    volume: list[Path] = []
    used = 0
    for path in files:
        if path.is_absolute() or '..' in path.parts:
            raise ValueError(f'{path}: expected a path below the current directory, as it would be on the other machine')
        size = path.stat().st_size + OVERHEAD_BYTES
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


def write(name: str, files: Iterable[Path], output: Path, max_bytes: int) -> list[Path]:
    """Write NAME_1.zip, NAME_2.zip, ... to `output`; returns them."""
    output.mkdir(parents=True, exist_ok=True)
    written = []
    for number, volume in enumerate(volumes(files, max_bytes), 1):
        path = output / f'{name}_{number}.zip'
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_STORED) as archive:     # pictures do not shrink
            for item in volume:
                archive.write(item, item.as_posix())
        written.append(path)
    return written


def unpack(packs: Sequence[Path], into: Path) -> int:
    """Put back what was packed; returns the number of files.

    :raises ValueError: no such file, or no pack
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
    """Do what the command line says.

    :raises ValueError: it cannot be done
    """
    if arguments.unpack:
        print(f'{unpack(arguments.unpack, arguments.into)} files unpacked into {arguments.into}')
        return
    recipe = find_recipe(arguments.recipe)
    files = files_of(TrainingConfig.load(recipe, arguments.set))
    for path in write(recipe.stem, files, arguments.output, int(arguments.max_mb * 1e6)):
        print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')
