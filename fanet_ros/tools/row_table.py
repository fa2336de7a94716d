# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables of rows as Parquet, which needs pyarrow, or as CSV."""
from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

GROUP_ROWS = 10_000     # rows held in memory at a time


class RowTable:
    """Writes FOLDER/NAME.parquet row by row, or NAME.csv if pyarrow is missing. Use as a context manager.

    The file appears, or replaces an older one, when it is complete.

    :param columns: name -> type, one that pyarrow.type_for_alias() knows
    """

    def __init__(self, folder: Path, name: str, columns: Mapping[str, str]) -> None:
        self._columns, self._rows = columns, list[Mapping[str, Any]]()
        self.path = folder / f'{name}{".parquet" if has_pyarrow() else ".csv"}'
        self._new = self.path.with_name(self.path.name + '.new')
        if has_pyarrow():
            import pyarrow
            import pyarrow.parquet
            self._schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in columns.items()])
            self._parquet = pyarrow.parquet.ParquetWriter(self._new, self._schema)
        else:
            self._file = open(self._new, 'w', newline='', encoding='utf-8')
            self._csv = csv.DictWriter(self._file, columns, lineterminator='\n')
            self._csv.writeheader()

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row with a value for every column."""
        self._rows.append(row)
        if len(self._rows) == GROUP_ROWS:
            self._write()

    def __enter__(self) -> RowTable:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[0] is None:
            self._write()
        (self._parquet if has_pyarrow() else self._file).close()
        if exc_info[0] is None:
            self._new.replace(self.path)
        else:
            self._new.unlink()

    def _write(self) -> None:
        if has_pyarrow():
            import pyarrow
            columns = {name: [row[name] for row in self._rows] for name in self._columns}
            self._parquet.write_table(pyarrow.table(columns, schema=self._schema))
        else:
            self._csv.writerows(self._rows)
        self._rows = []


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
        raise ValueError(f'{path} is not a readable Parquet file: {" ".join(str(error).split())}') from None


def _check_columns(path: Path, given: Sequence[str], expected: Sequence[str]) -> None:
    missing = [name for name in expected if name not in given]
    if missing:
        raise ValueError(f'{path} has no column {missing[0]}: expected {", ".join(expected)}, got {", ".join(given) or "none"}')
