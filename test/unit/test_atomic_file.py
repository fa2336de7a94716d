# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files are replaced completely or not at all."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from fanet_ros.atomic_file import replacing, write_json, write_text


@pytest.mark.parametrize('is_shared', [False, True])
def test_a_file_is_replaced_and_nothing_else_remains(tmp_path: Path, is_shared: bool) -> None:
    path = tmp_path / 'notes.json'
    path.write_text('old')
    write_json(path, {'straße': [1, 2]}, is_shared=is_shared)
    assert json.loads(path.read_text(encoding='utf-8')) == {'straße': [1, 2]} and path.read_bytes().endswith(b'}\n')
    write_text(path, 'new')
    assert path.read_text() == 'new' and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize('error', [ValueError, KeyboardInterrupt])
def test_an_interrupted_write_keeps_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / 'state'
    path.write_text('old')

    def fail_halfway() -> None:
        with replacing(path) as partial:
            partial.write_text('half')
            raise error
    with pytest.raises(error):
        fail_halfway()
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]


def test_those_who_share_a_file_write_to_different_ones_first(tmp_path: Path) -> None:
    """Also threads of one process."""
    with (replacing(tmp_path / 'a') as alone, replacing(tmp_path / 'a', is_shared=True) as shared,
          replacing(tmp_path / 'a', is_shared=True) as other):
        assert len({alone, shared, other}) == 3
        for partial in (alone, shared, other):
            partial.write_text(partial.name)
    assert (tmp_path / 'a').read_text() == alone.name
