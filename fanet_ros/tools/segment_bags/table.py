# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""frames.parquet: the table rows of one bag, and of all bags joined in one file."""
from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator, Sequence

from fanet_ros.atomic_file import replacing, sync_to_disk
from fanet_ros.bags.errors import BagError
from fanet_ros.error_text import error_text
from fanet_ros.tools.row_table import GROUP_ROWS, row_table
from fanet_ros.tools.segment_bags.find import PARTIAL

TABLE = 'frames.parquet'


def write_table(folder: Path, rows: Iterable[dict[str, Any]], classes: Sequence[str], bag: str, checkpoint: str) -> int:
    """Write the rows of one bag to `folder`; returns their number.

    :param rows: from rows.row_of()
    :param classes: class names, in the order of `shares`; each becomes a column `share_NAME`
    :param bag: value of the column `bag`
    :param checkpoint: value of the column `checkpoint`
    """
    names = [f'share_{name}' for name in classes]
    numbers = [*names, 'confidence', 'doubtful', 'brightness', 'sharpness']
    columns = {'bag': 'string', 'topic': 'string', 'stamp_ns': 'int64', **dict.fromkeys(numbers, 'float32'), 'checkpoint': 'string'}
    count = 0
    with row_table(folder, Path(TABLE).stem, columns) as table:
        for row in rows:
            table.add({**row, **dict(zip(names, row['shares'])), 'bag': bag, 'checkpoint': checkpoint})
            count += 1
    sync_to_disk(table.path)        # the marker of the finished bag is, too
    return count


def join_tables(output: Path) -> int:
    """Join the tables of all finished bags below `output` into one file, atomically; returns the number of rows.

    If bags differ in their classes, columns that a bag lacks are null.

    :raises BagError: the table of a bag is damaged
    """
    import pyarrow
    import pyarrow.parquet
    paths = sorted(_tables(output))
    if not paths:
        return 0
    schema = pyarrow.schema([])
    for path in paths:
        with _damage_named(path, output):
            own = pyarrow.parquet.read_schema(path).remove_metadata()
        schema = pyarrow.unify_schemas([schema, own])
    count = 0
    with replacing(output / TABLE) as partial, pyarrow.parquet.ParquetWriter(partial, schema) as writer:
        for group in _table_groups(paths, schema, output):
            writer.write_table(group)
            count += group.num_rows
    return count


def _tables(output: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(output):
        names[:] = [name for name in names if not name.endswith(PARTIAL)]
        if TABLE in files and Path(folder) != output:
            yield Path(folder, TABLE)


@contextmanager
def _damage_named(path: Path, output: Path) -> Iterator[None]:
    """Say in an error of pyarrow which bag it is about; those of the system, such as a lack of permissions, say it themselves."""
    try:
        yield
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BagError(f'the {TABLE} of the finished bag {path.parent.relative_to(output)} is damaged '
                       f'({error_text(error, 100)}): remove that bag from the output and run the same command again'
                       ) from None


def _table_groups(paths: Sequence[Path], schema: Any, output: Path) -> Iterator[Any]:
    """Row groups of at least GROUP_ROWS: small bags share one."""
    import pyarrow
    import pyarrow.parquet
    held: list[Any] = []
    for path in paths:
        with _damage_named(path, output):
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
