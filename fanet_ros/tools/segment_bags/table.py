# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""frames.parquet: the table rows of one bag, and of all bags joined in one file."""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, Iterable, Iterator, Sequence

from fanet_ros.tools.segment_bags.find import PARTIAL

TABLE = 'frames.parquet'
GROUP_ROWS = 10_000     # rows held in memory at a time


def is_available() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec('pyarrow') is not None


def write_table(path: Path, rows: Iterable[dict[str, Any]], classes: Sequence[str], bag: str, checkpoint: str) -> int:
    """Write the rows of one bag; returns their number.

    :param rows: from rows.row_of()
    :param classes: class names, in the order of `shares`; each becomes a column `share_NAME`
    :param bag: value of the column `bag`
    :param checkpoint: value of the column `checkpoint`
    """
    import pyarrow
    import pyarrow.parquet
    names = [f'share_{name}' for name in classes]
    numbers = [*names, 'confidence', 'doubtful', 'brightness', 'sharpness']
    schema = pyarrow.schema([('bag', pyarrow.string()), ('topic', pyarrow.string()), ('stamp_ns', pyarrow.int64()),
                             *((name, pyarrow.float32()) for name in numbers), ('checkpoint', pyarrow.string())])
    count = 0
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        for group in _groups(rows):
            flat = [{**row, **dict(zip(names, row['shares'])), 'bag': bag, 'checkpoint': checkpoint} for row in group]
            writer.write_table(pyarrow.table({name: [row[name] for row in flat] for name in schema.names}, schema=schema))
            count += len(group)
    return count


def join_tables(output: Path) -> int:
    """Join the tables of all finished bags below `output` into one file, atomically; returns the number of rows.

    If bags differ in their classes, columns that a bag lacks are null.
    """
    import pyarrow
    import pyarrow.parquet
    paths = sorted(_tables(output))
    if not paths:
        return 0
    schema = pyarrow.schema([])
    for path in paths:
        schema = pyarrow.unify_schemas([schema, pyarrow.parquet.read_schema(path).remove_metadata()])
    new, count = output / f'{TABLE}.new', 0
    with pyarrow.parquet.ParquetWriter(new, schema) as writer:
        for group in _table_groups(paths, schema):
            writer.write_table(group)
            count += group.num_rows
    os.replace(new, output / TABLE)
    return count


def _tables(output: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(output):
        names[:] = [name for name in names if not name.endswith(PARTIAL)]
        if TABLE in files and Path(folder) != output:
            yield Path(folder, TABLE)


def _table_groups(paths: Sequence[Path], schema: Any) -> Iterator[Any]:
    """Row groups of at least GROUP_ROWS: small bags share one."""
    import pyarrow
    import pyarrow.parquet
    held: list[Any] = []
    for path in paths:
        table = pyarrow.parquet.read_table(path)
        for name in schema.names:
            if name not in table.column_names:
                table = table.append_column(schema.field(name), pyarrow.nulls(table.num_rows, schema.field(name).type))
        held.append(table.select(schema.names).cast(schema))
        if sum(item.num_rows for item in held) >= GROUP_ROWS:
            yield pyarrow.concat_tables(held)
            held = []
    if held:
        yield pyarrow.concat_tables(held)


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group
