# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An object store in memory."""
from __future__ import annotations

from typing import Any, Iterator

import pytest


@pytest.fixture(name='files')
def files_fixture() -> Iterator[Any]:
    """The file system behind memory://, empty."""
    import fsspec  # here: most tests do without
    files = fsspec.filesystem('memory')
    files.store.clear()
    files.pseudo_dirs[:] = ['']
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = ['']
