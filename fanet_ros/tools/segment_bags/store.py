# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where finished bags go: a folder, or an object store, where nothing can be renamed."""
from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Optional, Protocol

from fanet_ros.atomic_file import sync_to_disk
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import AnyPath, RemotePath, read_all
from fanet_ros.tools.segment_bags.done import DONE, not_ours, parse_done, read_done
from fanet_ros.tools.segment_bags.find import PARTIAL
from fanet_ros.tools.segment_bags.jobs import Bag
from fanet_ros.tools.segment_bags.table import TABLE, join_tables

STALE = f'{TABLE}.stale'        # the joined table lacks some bags
UPLOADING = 'segment_bags.uploading'
INDEX = 'segment_bags.index.json'
TOGETHER = 100          # tables held in memory at a time


class Store(Protocol):
    """An output. `work`: folder of the lock and of the files that publish() copies."""

    work: Path

    def partial(self, bag: Bag) -> str:
        """Value for Bag.partial."""

    def read_done(self, bag: Bag) -> Optional[dict[str, Any]]:
        """The marker of a finished bag; None: not done.

        :raises BagError: something else is at its path
        """

    def begin(self) -> None:
        """Note that bags will be added which the joined table lacks."""

    def finish(self, with_table: bool) -> None:
        """Call after the last bag: join the tables of all bags if bags were added, also by a run that was killed.

        :param with_table: False: a joined table from before stays, marked by STALE; without one there is nothing to mark
        """

    def publish(self, name: str) -> None:
        """Copy a file from `work` to the output."""


def open_store(output: AnyPath, work: Optional[Path]) -> Store:
    """:raises StoreError: the object store does not answer, or has no such bucket"""
    if isinstance(output, RemotePath):
        assert work is not None
        return RemoteStore(output, work)
    return LocalStore(output)


class LocalStore:
    """A folder, which also holds the unfinished work."""

    def __init__(self, output: Path) -> None:
        output.mkdir(parents=True, exist_ok=True)
        self.work, self._stale = output, output / STALE

    def partial(self, bag: Bag) -> str:
        return ''

    def read_done(self, bag: Bag) -> Optional[dict[str, Any]]:
        return read_done(Path(bag.output))

    def begin(self) -> None:
        self._stale.touch()

    def finish(self, with_table: bool) -> None:
        has_table = (self.work / TABLE).exists()
        if with_table and (self._stale.exists() or not has_table):
            join_tables(self.work)
        if with_table or not has_table:
            self._stale.unlink(missing_ok=True)

    def publish(self, name: str) -> None:
        pass


class RemoteStore:
    """A folder of an object store. A listing tells which bags are done, and INDEX what their markers say.

    Markers that INDEX lacks, because a run was killed, are read one by one.
    """

    def __init__(self, output: RemotePath, work: Path) -> None:
        self._output = output
        objects, stored = output.objects(), {}
        if INDEX in objects:
            with suppress(ValueError):
                stored = json.loads((output / INDEX).read_text())
        self._markers = self._read_markers(output, stored)
        self._is_index_due = self._markers != stored
        self._is_table_due = STALE in objects or TABLE not in objects
        work.mkdir(parents=True, exist_ok=True)
        self.work = work

    def partial(self, bag: Bag) -> str:
        return str(self.work / f'{bag.name}{PARTIAL}')

    def read_done(self, bag: Bag) -> Optional[dict[str, Any]]:
        folder = self._output / bag.name
        if bag.name in self._markers:
            return parse_done(folder, self._markers[bag.name][1])
        if folder.exists() and not (folder / UPLOADING).exists():
            raise not_ours(folder)
        return None

    def begin(self) -> None:
        (self._output / STALE).write_bytes(b'')
        self._is_index_due = self._is_table_due = True

    def finish(self, with_table: bool) -> None:
        is_table_due = with_table and self._is_table_due
        if not self._is_index_due and not is_table_due:
            return
        output = RemotePath(str(self._output))      # looks again
        markers = self._read_markers(output, self._markers)
        if is_table_due:
            self._join_tables(output, [f'{name}/{TABLE}' for name in markers])
        if STALE in output.objects() and (is_table_due or TABLE not in output.objects()):
            (output / STALE).unlink()
        (output / INDEX).write_bytes(json.dumps(markers).encode())

    def publish(self, name: str) -> None:
        (self._output / name).upload(self.work / name)

    def _read_markers(self, output: RemotePath, known: dict[str, Any]) -> dict[str, Any]:
        """Bag -> [identity of its marker, text of the marker]."""
        found = {name.removesuffix(f'/{DONE}'): about.identity for name, about in output.objects().items()
                 if name.endswith(f'/{DONE}')}
        new = [name for name, identity in found.items() if known.get(name, ('',))[0] != identity]
        texts = read_all([output / name / DONE for name in new])
        read = {name: [found[name], text.decode(errors='replace')] for name, text in zip(new, texts)}
        return {name: read.get(name) or known[name] for name in sorted(found)}

    def _join_tables(self, output: RemotePath, names: list[str]) -> None:
        objects = output.objects()
        names = [name for name in names if name in objects]
        with TemporaryDirectory(dir=self.work, prefix='tables_') as folder:
            for first in range(0, len(names), TOGETHER):
                some = names[first:first + TOGETHER]
                for name, content in zip(some, read_all([output / name for name in some])):
                    path = Path(folder, name)
                    path.parent.mkdir(parents=True)
                    path.write_bytes(content)
            if join_tables(Path(folder)):
                (output / TABLE).upload(Path(folder, TABLE))


def move_into_place(made: Path, output: AnyPath, replace: bool) -> None:
    """Move a complete bag from the unfinished work to its output path: atomically, or to an object store with its marker last.

    :param replace: overwrite a bag that is out of date
    :raises BagError: something else is there
    """
    if isinstance(output, RemotePath):
        _upload(made, output, replace)
        return
    if replace and output.exists():
        output.rename(made.parent / 'before')
    elif output.exists():
        if _is_same(made, read_done(output)):
            return
        raise BagError(f'{output} was created by something else in the meantime: remove it and run the same command again')
    os.rename(made, output)
    sync_to_disk(output.parent)


def _upload(made: Path, output: RemotePath, replace: bool) -> None:
    there = output.objects()
    if DONE in there and UPLOADING not in there and _is_same(made, parse_done(output, (output / DONE).read_text())):
        return
    if there and UPLOADING not in there and not (replace and DONE in there):
        raise not_ours(output)
    (output / UPLOADING).write_bytes(b'')       # what follows is ours, though not complete
    files = sorted(made.iterdir(), key=lambda file: (file.name == DONE, file.name))
    # Files that will be replaced stay: a worker that outlived its driver may be uploading the same ones, and then its marker.
    kept = {UPLOADING, *(file.name for file in files)} - {DONE}
    for name in sorted(there.keys() - kept, key=lambda name: name != DONE):
        (output / name).unlink()
    for file in files:
        (output / file.name).upload(file)
    (output / UPLOADING).unlink()


def _is_same(made: Path, there: Optional[dict[str, Any]]) -> bool:
    """Whether the same bag is there already, finished by a worker that outlived its driver."""
    done = json.loads((made / DONE).read_text(encoding='utf-8'))
    return there is not None and all(there.get(name) == done[name] for name in ('input', 'key', 'table'))
