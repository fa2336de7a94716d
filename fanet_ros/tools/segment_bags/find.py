# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find the bags to segment: given directly, in folders, or listed in text files with one path per line."""
from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Iterator, Optional, Sequence

from fanet_ros.bags.bag_files import is_bag
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.metadata import METADATA
from fanet_ros.bags.remote_path import AnyPath, RemotePath, any_path, common_folder, relative
from fanet_ros.tools.segment_bags.done import input_state
from fanet_ros.tools.segment_bags.jobs import Bag

LIST, PARTIAL = '.txt', '.partial'
SUFFIXES = ('.zstd', '.mcap', '.db3')


def find_bags(sources: Sequence[AnyPath], output: AnyPath, root: Optional[AnyPath] = None) -> list[Bag]:
    """Every bag once; its path below `output` is its path below `root`.

    :param root: None: the folder searched, or the deepest one that contains all sources
    :raises BagError: a source is missing or is not a bag, folder or list; a bag is outside `root`
    """
    output = output.absolute()
    given = [path for source in sources for path in _listed(source.expanduser())]
    roots = [path if path.is_dir() and not is_bag(path) else path.parent for path in given]
    if root is None:
        try:
            root = common_folder(roots) if roots else output
        except ValueError:
            raise BagError('no folder contains all sources: segment those of each bucket into an output of its own') from None
    paths = {str(bag): bag for path in given for bag in _bags_below(path, output)}
    names = {text: _name(bag, root.absolute()) for text, bag in paths.items()}
    folders = {parent.as_posix() for name in names.values() for parent in PurePosixPath(name).parents}
    found: dict[str, Bag] = {}
    for text, bag in paths.items():
        name = names[text]
        if name in found or name in folders:        # a.mcap next to the bag a, or next to a folder a with bags in it
            name = relative(bag, root.absolute()).as_posix()
        if name not in found:
            found[name] = _bag(bag, output, name)
    return list(found.values())


def check_output(sources: Sequence[AnyPath], bags: Sequence[Bag], output: AnyPath) -> None:
    """:raises BagError: the new bags would be where the bags are"""
    if any(source.absolute() == output for source in sources) or any(bag.input == bag.output for bag in bags):
        raise BagError(f'{output} holds the bags to segment: choose another --output for the new ones')


def _listed(source: AnyPath) -> Iterator[AnyPath]:
    """The source as an absolute path, or the paths in a list."""
    if not source.exists():
        raise BagError(f'{source} does not exist: expected a bag, a folder with bags, or a text file ({LIST}) with their paths')
    if source.suffix != LIST:
        if source.is_file() and not is_bag(source):
            raise BagError(f'{source} is not a bag: expected one, a folder with bags, or a text file ({LIST}) with their paths')
        yield _absolute(source)
        return
    for line in source.read_text(encoding='utf-8').splitlines():
        text = line.strip()
        if text and not text.startswith('#'):
            path = any_path(text).expanduser()
            is_whole = isinstance(path, RemotePath) or path.is_absolute()
            yield _absolute(path if is_whole else source.absolute().parent / str(path))


def _absolute(path: AnyPath) -> AnyPath:
    return path if isinstance(path, RemotePath) else Path(os.path.normpath(path.absolute()))    # removes `..` but keeps links


def _bag(path: AnyPath, output: AnyPath, name: str) -> Bag:
    try:
        digest, size = input_state(path)
    except BagError:        # reported with the bag, later
        digest, size = '', 0
    return Bag(str(path), str(output / name), name, size, digest)


def _bags_below(path: AnyPath, output: AnyPath) -> Iterator[AnyPath]:
    """All bags in a folder, sorted by name; any other path as it is, even if missing, so that a bad line in a list fails alone."""
    if not path.is_dir():
        yield path
        return
    entered: set[str] = set()       # links are followed, once
    for walked, names, _ in path.walk() if isinstance(path, RemotePath) else os.walk(path, followlinks=True):
        folder = any_path(walked)
        real = str(folder) if isinstance(folder, RemotePath) else os.path.realpath(folder)
        if real in entered:
            names.clear()
            continue
        entered.add(real)
        names[:] = sorted(name for name in names if folder / name != output and not name.endswith(PARTIAL)
                          and not name.startswith('.'))
        if is_bag(folder):
            bags = _bags_in(folder)
            yield from bags
            if folder in bags:
                names.clear()


def _bags_in(folder: AnyPath) -> Sequence[AnyPath]:
    """A folder is one bag if it has metadata or its files are named like those of a split bag; otherwise each file is a bag."""
    if (folder / METADATA).is_file():
        return [folder]
    files = sorted((file for file in folder.iterdir() if file.is_file() and is_bag(file)), key=lambda file: file.name)
    parts = {_stem(file.name).rstrip('0123456789') for file in files}
    return [folder] if len(files) > 1 and len(parts) == 1 and next(iter(parts)).endswith('_') else files


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _name(bag: AnyPath, root: AnyPath) -> str:
    try:
        place = relative(bag, root)
    except ValueError:
        raise BagError(f'{bag} is not below {root}: choose another --root') from None
    return (place if bag.is_dir() else place.with_name(_stem(place.name))).as_posix()
