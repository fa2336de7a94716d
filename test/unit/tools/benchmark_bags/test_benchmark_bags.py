# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark of segment_bags runs it, compares the masks, and keeps the figures."""
from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fanet_ros.tools.benchmark_bags.command import main
from fanet_ros.tools.benchmark_bags.measure import Memory, digest, run_segment_bags


@pytest.mark.slow
def test_figures_of_a_small_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = tmp_path / 'work'
    work.mkdir()
    small = ['--bags', '2', '--frames', '3', '--long', '40', '--workers', '1']
    assert main([*small, '--work', str(work), '--output', str(tmp_path)]) == 0
    found = json.loads((tmp_path / 'bags.json').read_text())
    one, again = found['runs']
    assert (one['bags'], one['images'], one['masks'], one['segmented_now']) == (3, 46, 46, 46)
    assert (again['name'], again['masks'], again['segmented_now']) == ('again', 46, 0)
    assert 0 < one['working_s'] < one['seconds'] and one['driver']['last_mib'] > 100
    assert all(ms > 0 for ms in found['short_bag_ms'].values()) and found['archive']['size'] == '96x64'
    assert capsys.readouterr().out.splitlines()[0].startswith('1 worker: 46 masks of 46 images in 3 bags; ')
    assert not os.listdir(work)


def test_a_run_that_fails_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match='ended with code 2: segment_bags: .*nowhere does not exist'):
        run_segment_bags('one', tmp_path / 'out', [str(tmp_path / 'nowhere')])


def test_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    def made(name: str, content: bytes) -> str:
        folder = tmp_path / f'{name}_{len(content)}'
        (folder / 'bag').mkdir(parents=True)
        (folder / 'bag' / f'{name}.mcap').write_bytes(content)
        (folder / 'report.json').write_bytes(os.urandom(8))
        return digest(folder)
    assert len({made('a', b'1'), made('a', b'12'), made('b', b'1')}) == 3
    again = tmp_path / 'again/bag'
    again.mkdir(parents=True)
    (again / 'a.mcap').write_bytes(b'1')
    assert digest(tmp_path / 'again') == digest(tmp_path / 'a_1')


def test_memory_after_a_quarter_and_at_the_end() -> None:
    assert Memory.of([10, 20, 30, 40, 50, 60, 70, 80]) == Memory(30, 80) and Memory.of([5]) == Memory(5, 5)
