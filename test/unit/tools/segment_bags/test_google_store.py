# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Archive and output on an emulator of Google Cloud Storage; needs gcsfs and gcp-storage-emulator."""
from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from object_store import messages
from street_bags import write_street_bag

from fanet_ros.tools.segment_bags.command import main
from fanet_ros.tools.segment_bags.done import DONE

ARCHIVE, OUTPUT = 'gs://archive/in', 'gs://archive/out'


@pytest.fixture(name='files')
def files_fixture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The file system of gcsfs, with a bucket."""
    monkeypatch.setenv('GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT', 'false')        # asks Google itself for the kind of bucket
    monkeypatch.setenv('NO_GCE_CHECK', 'true')
    gcsfs = pytest.importorskip('gcsfs')
    emulator = pytest.importorskip('gcp_storage_emulator.server')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    monkeypatch.setenv('STORAGE_EMULATOR_HOST', f'http://127.0.0.1:{port}')
    gcsfs.GCSFileSystem.clear_instance_cache()
    with emulator.create_server('127.0.0.1', port, in_memory=True, default_bucket='archive'):
        import fsspec
        yield fsspec.filesystem('gs', use_listings_cache=False)
    gcsfs.GCSFileSystem.clear_instance_cache()


def report(files: Any) -> dict[str, Any]:
    found = json.loads(files.cat_file(f'{OUTPUT}/report.json'))
    assert isinstance(found, dict)
    return found


def put(files: Any, bag: Path) -> None:
    for path in bag.iterdir():
        files.pipe_file(f'{ARCHIVE}/{bag.name}/{path.name}', path.read_bytes())


def test_archive_and_output_in_google_cloud_storage(
        tmp_path: Path, files: Any, quick: list[str], expected: Callable[[int], list[tuple[str, int, bytes]]],
        capsys: pytest.CaptureFixture[str]) -> None:
    put(files, write_street_bag(tmp_path / 'long', 100))
    put(files, write_street_bag(tmp_path / 'short', 3))
    command = [ARCHIVE, '--output', OUTPUT, '--work', str(tmp_path / 'work'), '--unit', '40', *quick]
    assert main(command) == 0
    assert messages(f'{OUTPUT}/long') == expected(100) and messages(f'{OUTPUT}/short') == expected(3)
    found = {path.removeprefix('archive/out/') for path in files.find(OUTPUT)}
    assert found >= {f'long/{DONE}', 'long/long.mcap', 'long/metadata.yaml', f'short/{DONE}', 'report.json'}
    assert not [path for path in found if path.endswith(('.uploading', '.stale'))]

    assert main(command) == 0 and report(files)['bags_skipped'] == 2
    put(files, write_street_bag(tmp_path / 'again/short', 4))
    assert main(command) == 0
    assert messages(f'{OUTPUT}/short') == expected(4) and (report(files)['bags_skipped'], report(files)['bags_done']) == (1, 1)

    capsys.readouterr()
    assert main(['gs://none/in', *command[1:]]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('segment_bags: gs://none/in')
