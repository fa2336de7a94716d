# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare two archives bag by bag, print a summary, and write the results."""
from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Sequence

from tqdm import tqdm

from fanet_ros.atomic_file import PARTIAL_PREFIX, write_json
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import AnyPath, any_path
from fanet_ros.tools.compare_masks.bag_pair import SIDES, BagPair, Comparison
from fanet_ros.tools.compare_masks.counts import ClassUnion, Counts
from fanet_ros.tools.compare_masks.frames import COLUMNS, FrameDifference, MostDifferent
from fanet_ros.tools.compare_masks.report import summary
from fanet_ros.tools.compare_masks.sheet import write_sheet
from fanet_ros.tools.row_table import row_table
from fanet_ros.tools.segment_bags.done import input_state
from fanet_ros.tools.segment_bags.find import find_bags

RESULT, TABLE, SHEET = 'comparison.json', 'frames', 'differences.jpg'
SHOWN_CONFUSIONS = 5    # of each bag


def compare_masks(arguments: argparse.Namespace) -> int:
    """Compare all bags; returns 0, 1 if some could not be compared, 2 if none could.

    :raises BagError: A or B is missing or has no bags
    """
    a, b, output = arguments.a, arguments.b, arguments.output
    pairs, alone = bag_pairs(a, b)
    classes, most_different = ClassUnion(), MostDifferent(arguments.frames)
    total, bags = Counts(classes), list[dict[str, Any]]()
    failed = {name: f'only in {side}' for side, names in zip(SIDES, alone) for name in names}
    with ExitStack() as stack:
        take: list[Callable[[FrameDifference], None]] = [most_different.add]
        if output is not None:
            _prepare(output)
            table = stack.enter_context(row_table(output, TABLE, COLUMNS))
            take.append(lambda frame: table.add(frame.row))
        sizes = [input_state(pair.a)[1] for pair in pairs]
        with tqdm(total=sum(sizes), unit='B', unit_scale=True, desc='compare', disable=True if arguments.quiet else None) as bar:
            for pair, size in zip(pairs, sizes):
                try:
                    entry = _compare(pair, classes, total, arguments.every, take, bar, size)
                except BagError as error:
                    failed[pair.name] = str(error)
                    continue
                bags.append(entry)
                if 'error' in entry:
                    failed[pair.name] = entry['error']
        left_out = Counter[str]()
        for bag in bags:
            left_out.update(bag['left_out'])
        result = {'a': str(a), 'b': str(b), 'every': arguments.every, **total.figures(), 'classes': classes.names,
                  'only_in_a': classes.only_in(0), 'only_in_b': classes.only_in(1), 'matrix': total.shares(),
                  'left_out': dict(sorted(left_out.items())), 'most_different': [frame.row for frame in most_different.frames()],
                  'bags': bags, 'failed': failed}
        if output is not None:      # before the table, so that _prepare() knows the folder of a run that was killed here
            write_json(output / RESULT, result)
    for name, reason in sorted(failed.items()):
        print(f'{name}: failed: {reason}', file=sys.stderr)
    compared = [bag for bag in bags if bag['frames']]
    if compared:
        print(summary(result))
    if output is not None:
        write_sheet(output / SHEET, most_different.frames(), pairs, classes, _title(a, b),
                    f'the frames that differ most of {total.frames} in {len(compared)} bags')
        print(f'{output}: {RESULT}, {table.path.name}' + (f', {SHEET}' if most_different.frames() else ''))
    if not compared:
        print('compare_masks: no pair of masks with the same bag, topic and stamp', file=sys.stderr)
        return 2
    return 1 if failed or len(compared) < len(bags) else 0


def _prepare(output: Path) -> None:
    """Create the folder, or remove an earlier comparison from it.

    :raises BagError: it holds something else, such as the frames.parquet of segment_bags
    """
    output.mkdir(parents=True, exist_ok=True)
    if not (output / RESULT).exists() and not all(path.name.startswith(PARTIAL_PREFIX) for path in output.iterdir()):
        raise BagError(f'{output} is not empty and holds no comparison: choose another --output')
    for name in (SHEET, f'{TABLE}.parquet', f'{TABLE}.csv', RESULT):
        (output / name).unlink(missing_ok=True)


def _title(a: AnyPath, b: AnyPath) -> str:
    shown = (a.name, b.name) if a.name != b.name else (a, b)        # long paths do not fit
    return f'A: {shown[0]}   B: {shown[1]}'


def bag_pairs(a: AnyPath, b: AnyPath) -> tuple[list[BagPair], tuple[list[str], list[str]]]:
    """(pairs of bags with the same path below A and B, names of bags only in A and only in B); two single bags are a pair.

    :raises BagError: A or B is missing or has no bags
    """
    found: list[dict[str, AnyPath]] = []
    for folder in (a, b):
        bags = {bag.name: any_path(bag.input) for bag in find_bags([folder], folder)}
        if not bags:
            raise BagError(f'no bags in {folder}: expected an output of segment_bags, or a bag with masks')
        found.append(bags)
    in_a, in_b = found
    if all(list(bags.values()) == [path.absolute()] for bags, path in zip(found, (a, b))):
        name, = in_a
        return [BagPair(name, in_a[name], next(iter(in_b.values())))], ([], [])
    pairs = [BagPair(name, in_a[name], in_b[name]) for name in sorted(in_a.keys() & in_b.keys())]
    return pairs, (sorted(in_a.keys() - in_b.keys()), sorted(in_b.keys() - in_a.keys()))


def _compare(pair: BagPair, classes: ClassUnion, total: Counts, every: int, take: Sequence[Callable[[FrameDifference], None]],
             bar: Any, size: int) -> dict[str, Any]:
    """Compare one pair of bags and add it to `total`; returns its entry in comparison.json."""
    before, error = bar.n, ''
    with Comparison(pair, classes) as comparison:
        share = size / max(comparison.masks[0], 1)
        try:
            for frame in comparison.frames(every):
                for action in take:
                    action(frame)
                bar.update(before + share * comparison.pairs - bar.n)
        except BagError as problem:     # the rest of the bag is damaged
            error = str(problem)
    bar.update(before + size - bar.n)
    total.add(comparison.counts)
    figures = comparison.counts.figures()
    return {'bag': pair.name, **({'error': error} if error else {}), **figures,
            'confusions': figures['confusions'][:SHOWN_CONFUSIONS], 'left_out': comparison.left_out}
