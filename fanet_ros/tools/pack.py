"""Pack the data of a recipe for a machine that they must be carried to: `pack RECIPE --output DIR`.

    ros2 run fanet_ros pack fanet18_camvid --output packs       all files that the recipe reads, in volumes of at most 60 MB
    python -m fanet_ros.tools.pack --unpack packs/*.zip --into DIR      there; train in DIR then

Volumes are plain zip files; the pictures in them are the bytes that they were. Paths are kept, so the recipe is trained by as it is.
"""
from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path
from typing import Iterable, Iterator, Optional, Sequence

from fanet_ros.model import resolve_checkpoint
from fanet_ros.package_share import share_directory
from fanet_ros.tools.termination import exit_code_of
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


def main(argv: Optional[list[str]] = None) -> int:
    """Pack or unpack; returns the exit code."""
    parser = argparse.ArgumentParser(prog='pack', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('recipe', nargs='?', help='YAML file, or the name of one in config/training')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE', help='as for train')
    parser.add_argument('--output', type=Path, default=Path('packs'), help='folder of the volumes (default: packs)')
    parser.add_argument('--max-mb', type=float, default=60.0, help='size of a volume at most (default: 60)')
    parser.add_argument('--unpack', nargs='+', type=Path, metavar='PACK', help='unpack these instead')
    parser.add_argument('--into', type=Path, default=Path('.'), help='where to (default: here)')
    arguments = parser.parse_args(argv)
    if (arguments.recipe is None) == (arguments.unpack is None):
        parser.error('expected a recipe to pack, or --unpack')
    return exit_code_of('pack', lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    if arguments.unpack:
        print(f'{unpack(arguments.unpack, arguments.into)} files unpacked into {arguments.into}')
        return
    recipe = find_recipe(arguments.recipe)
    files = files_of(TrainingConfig.load(recipe, arguments.set))
    for path in write(recipe.stem, files, arguments.output, int(arguments.max_mb * 1e6)):
        print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')


if __name__ == '__main__':
    sys.exit(main())
