# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files are replaced completely or not at all."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fanet_ros.atomic_file import replacing, write_json, write_text


def test_a_file_is_replaced_and_nothing_else_remains(tmp_path: Path) -> None:
    path = tmp_path / 'notes.json'
    path.write_text('old')
    write_json(path, {'straße': [1, 2]})
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
    path = tmp_path / 'a'
    with replacing(path) as first, replacing(path) as second, replacing(path) as third:
        assert len({first, second, third}) == 3
        for partial in (first, second, third):
            partial.write_text(partial.name)
    assert path.read_text() == first.name and list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / 'a'
    killed = ('import os, sys\nfrom pathlib import Path\nfrom fanet_ros.atomic_file import replacing\n'
              'with replacing(Path(sys.argv[1])) as partial:\n    partial.write_text("half of it")\n    os._exit(9)')
    assert subprocess.run([sys.executable, '-c', killed, path], check=False).returncode == 9
    assert len(list(tmp_path.iterdir())) == 1
    write_text(path, 'new')
    assert path.read_text() == 'new' and list(tmp_path.iterdir()) == [path]
