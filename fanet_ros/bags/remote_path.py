# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Paths in object stores (s3://, gs://), with the methods of pathlib.Path that bags need, through fsspec."""
from __future__ import annotations

import errno
import os
import posixpath
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO, Iterator, Optional, Sequence, Union, cast

from fanet_ros.bags.errors import StoreError
from fanet_ros.bags.object_store import MARK, Listing, RemoteStat, ask
from fanet_ros.bags.range_file import RangeFile


class RemotePath:
    """An object, or a folder of objects, at a URL of any kind that fsspec knows.

    What exists is answered from a listing of everything below the path, made when first asked: one request per 1,000 objects. Paths
    made from this one by `/` and iterdir() share the listing; a new RemotePath looks again. All that asks the store may raise a
    StoreError.

    :param url: with the protocol, such as s3://bucket/drive_1
    """

    def __init__(self, url: str) -> None:
        self._protocol, _, path = url.partition(MARK)
        self._path = posixpath.normpath(path) if posixpath.normpath(path) != '.' else ''
        self._listing, self._inside = Listing(str(self)), ''

    def __str__(self) -> str:
        return f'{self._protocol}{MARK}{self._path}'

    def __repr__(self) -> str:
        return f'RemotePath({str(self)!r})'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemotePath) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: RemotePath) -> bool:
        return str(self) < str(other)

    def __truediv__(self, key: Union[RemotePath, PurePath, str]) -> RemotePath:
        found = RemotePath(f'{self}/{key}')
        inside = posixpath.normpath(posixpath.join(self._inside, str(key)))
        if not inside.startswith('..'):
            found._listing, found._inside = self._listing, '' if inside == '.' else inside
        return found

    @property
    def parent(self) -> RemotePath:
        return self / '..'

    @property
    def name(self) -> str:
        return posixpath.basename(self._path)

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix

    def with_name(self, name: str) -> RemotePath:
        return self.parent / name

    def relative_to(self, other: RemotePath) -> PurePosixPath:
        """:raises ValueError: this path is not below `other`"""
        if self._protocol != other._protocol:
            raise ValueError(f'{self} is not below {other}')
        return PurePosixPath(self._path).relative_to(PurePosixPath(other._path))

    def expanduser(self) -> RemotePath:
        return self

    absolute = resolve = expanduser

    def exists(self) -> bool:
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        return self._inside in self._listing.files

    def is_dir(self) -> bool:
        return self._inside in self._listing.folders

    def iterdir(self) -> Iterator[RemotePath]:
        if not self.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        return (self / name for name in sorted(self._listing.folders[self._inside]))

    def walk(self) -> Iterator[tuple[RemotePath, list[str], list[str]]]:
        """Like os.walk(): folder, names of its folders, which may be removed from the list, and names of its files."""
        paths = list(self.iterdir())
        folders, files = ([path.name for path in paths if path.is_dir() == is_folder] for is_folder in (True, False))
        yield self, folders, files
        for name in folders:
            yield from (self / name).walk()

    def objects(self) -> dict[str, RemoteStat]:
        """All objects below this path, by their path relative to it."""
        start = f'{self._inside}/' if self._inside else ''
        return {name[len(start):]: about for name, about in self._listing.files.items() if name and name.startswith(start)}

    def stat(self, *, follow_symlinks: bool = True) -> RemoteStat:
        if not self.is_file():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self))
        return self._listing.files[self._inside]

    def open(self, *_args: Any, **_options: Any) -> BinaryIO:
        """The object, read in ranges as they are needed."""
        return cast(BinaryIO, RangeFile(self._read, self.stat().st_size))

    def read_bytes(self) -> bytes:
        return read_all([self])[0]

    def read_text(self, encoding: Optional[str] = 'utf-8') -> str:
        return self.read_bytes().decode(encoding or 'utf-8')

    def copy_to(self, path: Path) -> None:
        ask(str(self), lambda files: files.get_file(str(self), str(path)))

    def upload(self, path: Path) -> None:
        """Replace the object by a local file; readers see the old content or the new one."""
        ask(str(self), lambda files: files.put_file(str(path), str(self)))

    def write_bytes(self, content: bytes) -> None:
        """Replace the object, as in upload()."""
        ask(str(self), lambda files: files.pipe_file(str(self), content))

    def unlink(self) -> None:
        ask(str(self), lambda files: files.rm_file(str(self)))

    def _read(self, start: int, stop: int) -> bytes:
        data: bytes = ask(str(self), lambda files: files.cat_file(str(self), start=start, end=stop))
        if len(data) != stop - start:
            raise StoreError(f'{self} has become shorter: it was replaced while it was read')
        return data


AnyPath = Union[Path, RemotePath]


def any_path(path: Union[str, AnyPath]) -> AnyPath:
    """A RemotePath for a URL, a Path for anything else."""
    if isinstance(path, str):
        return RemotePath(path) if MARK in path else Path(path)
    return path


def relative(path: AnyPath, root: AnyPath) -> PurePath:
    """The path below `root`.

    :raises ValueError: it is not below it
    """
    if isinstance(path, Path) and isinstance(root, Path):
        return path.relative_to(root)
    if isinstance(path, RemotePath) and isinstance(root, RemotePath):
        return path.relative_to(root)
    raise ValueError(f'{path} is not below {root}')


def common_folder(paths: Sequence[AnyPath]) -> AnyPath:
    """The deepest folder that contains all of these folders.

    :raises ValueError: there is none
    """
    protocols = {str(path).partition(MARK)[0] if isinstance(path, RemotePath) else '' for path in paths}
    if protocols == {''}:
        return Path(os.path.commonpath([str(path) for path in paths]))
    common = os.path.commonpath([str(path).partition(MARK)[2] for path in paths]) if len(protocols) == 1 else ''
    if not common:
        raise ValueError('no folder contains all of them')
    return RemotePath(f'{protocols.pop()}{MARK}{common}')


def read_all(paths: Sequence[RemotePath]) -> list[bytes]:
    """The contents of objects of one store, with several requests at a time."""
    sizes = [path.stat().st_size for path in paths]
    filled = [str(path) for path, size in zip(paths, sizes) if size]

    def read(files: Any) -> list[Any]:
        found = files.cat_ranges(filled, [0] * len(filled), [size for size in sizes if size])
        for item in found:
            if isinstance(item, Exception):
                raise item
        return list(found)
    contents = iter(ask(filled[0], read) if filled else ())
    return [next(contents) if size else b'' for size in sizes]
