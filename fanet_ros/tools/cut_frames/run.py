# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cut the frames bag by bag into a folder that takes its final name when it is complete."""
from __future__ import annotations

import argparse
import csv
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple, Protocol, Sequence

from tqdm import tqdm

from fanet_ros.atomic_file import sync_to_disk
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.reader import BagReader
from fanet_ros.tools.cut_frames.as_bag import BagCutter
from fanet_ros.tools.cut_frames.selection import FoundFrame, Selection, bag_path, find_frames, read_selection

LIST, PARTIAL = 'frames.csv', '.partial'
DEFAULT_S = 1.0
NAMED = 5       # missing frames that are listed


class Cutter(Protocol):
    """Writes one kind of output. `rows`: of the list of frames, with these `columns`."""

    columns: Sequence[str]
    rows: list[dict[str, object]]

    def cut(self, name: str, bag: BagReader, frames: Sequence[FoundFrame]) -> dict[FoundFrame, str]:
        """Cut the frames of one bag; returns those that could not be cut, with the reason.

        :raises BagError: the bag is unusable; nothing of it is kept then
        """

    def finish(self) -> None:
        """Call after the last bag."""


class Missing(NamedTuple):
    """A selected frame that was not cut."""

    bag: str
    topic: str
    stamp_ns: int
    reason: str


def cut_frames(arguments: argparse.Namespace) -> int:
    """Cut all frames; returns 0, 1 if some are missing, 2 if all are.

    :raises ValueError: unusable selection
    :raises BagError: no archive, or the output exists
    """
    selection = read_selection(arguments.selection)
    output, partial = arguments.output, arguments.output.parent / f'{arguments.output.name}{PARTIAL}'
    if not arguments.archive.is_dir():
        raise BagError(f'{arguments.archive} is not a folder: expected the archive, or an output of segment_bags')
    _check_free(output)
    try:
        partial.mkdir(parents=True)
    except FileExistsError:
        raise BagError(f'{partial} exists: another process is writing it, or was killed; remove it then') from None
    try:
        cutter = _cutter(arguments, partial)
        missing = _cut(selection, arguments, cutter)
        if cutter.rows:
            cutter.finish()
            _write_list(partial / LIST, cutter)
            for path in (*partial.rglob('*'), partial):
                sync_to_disk(path)
            _check_free(output)
            partial.rename(output)
            sync_to_disk(output.absolute().parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _report_missing(missing)
    if not cutter.rows:
        print('cut_frames: none of the selected frames could be cut', file=sys.stderr)
        return 2
    print(f'{output}: {len(cutter.rows)} frames of {len({row["bag"] for row in cutter.rows})} bags'
          + (f', {len(missing)} missing' if missing else ''))
    return 1 if missing else 0


def _cutter(arguments: argparse.Namespace, folder: Path) -> Cutter:
    if arguments.kind == 'folder':
        from fanet_ros.tools.cut_frames.as_folder import FolderCutter  # here: it loads torch
        return FolderCutter(folder)
    before_s, after_s = (DEFAULT_S if value is None else value for value in (arguments.before, arguments.after))
    return BagCutter(folder, before_s, after_s, arguments.topics)


def _cut(selection: Selection, arguments: argparse.Namespace, cutter: Cutter) -> list[Missing]:
    missing: list[Missing] = []
    for name, wanted in tqdm(sorted(selection.items()), unit='bag', desc='cut', disable=True if arguments.quiet else None):
        left = {(topic, stamp) for topic, stamps in wanted.items() for stamp in stamps}
        try:
            with BagReader(bag_path(arguments.archive, name)) as bag:
                frames = find_frames(bag, wanted)
                failed = cutter.cut(name, bag, frames) if frames else {}
        except BagError as error:
            missing += [Missing(name, topic, stamp, str(error)) for topic, stamp in sorted(left)]
            continue
        missing += [Missing(name, frame.topic, frame.stamp_ns, reason) for frame, reason in failed.items()]
        missing += [Missing(name, topic, stamp, 'no image with this stamp on the topic')
                    for topic, stamp in sorted(left - {(frame.topic, frame.stamp_ns) for frame in frames})]
    return missing


def _report_missing(missing: list[Missing]) -> None:
    if not missing:
        return
    for item in missing[:NAMED]:
        print(f'missing: {item.bag} {item.topic} {item.stamp_ns}: {item.reason}', file=sys.stderr)
    if len(missing) > NAMED:
        reasons = Counter(item.reason for item in missing).most_common(NAMED)
        print(f'{len(missing)} missing: ' + '; '.join(f'{count} {reason}' for reason, count in reasons), file=sys.stderr)


def _write_list(path: Path, cutter: Cutter) -> None:
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, cutter.columns, lineterminator='\n')
        writer.writeheader()
        writer.writerows(cutter.rows)


def _check_free(output: Path) -> None:
    if output.exists():
        raise BagError(f'{output} already exists: remove it or choose another --output')
