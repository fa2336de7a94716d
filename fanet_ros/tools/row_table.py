# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of rows as Parquet, which needs pyarrow, or as CSV."""
from __future__ import annotations

import csv
import importlib.util
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Sequence

from fanet_ros.atomic_file import replacing
from fanet_ros.error_text import error_text

GROUP_ROWS = 10_000     # rows held in memory at a time


class RowTable:
    """Collects rows and hands them on in groups, from row_table(). `path`: where the table will be."""

    def __init__(self, path: Path, write: Callable[[list[Mapping[str, Any]]], object]) -> None:
        self.path = path
        self._write, self._rows = write, list[Mapping[str, Any]]()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row with a value for every column."""
        self._rows.append(row)
        if len(self._rows) == GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        self._write(self._rows)
        self._rows = []


@contextmanager
def row_table(folder: Path, name: str, columns: Mapping[str, str]) -> Iterator[RowTable]:
    """Write FOLDER/NAME.parquet row by row, or NAME.csv if pyarrow is missing.

    The file appears, or replaces an older one, at the end; after an exception there is none.

    :param columns: name -> type, one that pyarrow.type_for_alias() knows
    """
    path = folder / f'{name}{".parquet" if has_pyarrow() else ".csv"}'
    with replacing(path) as partial, ExitStack() as stack:
        table = RowTable(path, (_parquet_writer if has_pyarrow() else _csv_writer)(partial, columns, stack))
        yield table
        table.flush()


def _parquet_writer(path: Path, columns: Mapping[str, str], stack: ExitStack) -> Callable[[list[Mapping[str, Any]]], object]:
    import pyarrow
    import pyarrow.parquet
    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in columns.items()])
    file = stack.enter_context(pyarrow.parquet.ParquetWriter(path, schema))
    return lambda rows: file.write_table(pyarrow.table({name: [row[name] for row in rows] for name in columns}, schema=schema))


def _csv_writer(path: Path, columns: Mapping[str, str], stack: ExitStack) -> Callable[[list[Mapping[str, Any]]], object]:
    writer = csv.DictWriter(stack.enter_context(open(path, 'w', newline='', encoding='utf-8')), columns, lineterminator='\n')
    writer.writeheader()
    return writer.writerows


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield these columns of each row of a Parquet file, or as text of a CSV file with a header.

    :raises ValueError: another format, or a column is missing
    """
    if path.suffix == '.parquet':
        yield from _parquet_rows(path, columns)
    elif path.suffix == '.csv':
        with open(path, newline='', encoding='utf-8-sig') as file:      # with or without the mark that Excel writes
            reader = csv.DictReader(file)
            _check_columns(path, reader.fieldnames or (), columns)
            for row in reader:
                yield tuple(row[name] or '' for name in columns)
    else:
        raise ValueError(f'{path}: expected a .csv or .parquet file')


def has_pyarrow() -> bool:
    """Whether pyarrow is installed."""
    return importlib.util.find_spec('pyarrow') is not None


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    if not has_pyarrow():
        raise ValueError(f'{path} cannot be read without pyarrow: pip install pyarrow, or write a .csv')
    import pyarrow
    import pyarrow.parquet
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names, columns)
            for batch in file.iter_batches(columns=list(columns)):
                yield from zip(*(batch.column(name).to_pylist() for name in columns))
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f'{path} is not a readable Parquet file: {error_text(error)}') from None


def _check_columns(path: Path, given: Sequence[str], expected: Sequence[str]) -> None:
    missing = [name for name in expected if name not in given]
    if missing:
        raise ValueError(f'{path} has no column {missing[0]}: expected {", ".join(expected)}, got {", ".join(given) or "none"}')
