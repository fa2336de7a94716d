# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small archive, options for fast segmentation, and the expected output from segment_bag."""
from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Iterator

import pytest
import torch
from stored_archives import Expected, Messages
from street_bags import read_messages, write_street_bag

from fanet_ros.tools.segment_bag.command import main as segment_bag

QUICK = ['--device', 'cpu', '--engine', 'torch', '--resolution', '96x64', '--quiet']
LONG = 100


@pytest.fixture(name='quick')
def quick_fixture() -> list[str]:
    """Options for both segment_bag and segment_bags."""
    return QUICK


@pytest.fixture(autouse=True, scope='session')
def one_thread() -> Iterator[None]:
    """At this small resolution more threads are slower, much slower next to other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two short bags and one of LONG images."""
    write_street_bag(tmp_path / 'in/mon/first', 3)
    write_street_bag(tmp_path / 'in/mon/second', 4, first=7)
    write_street_bag(tmp_path / 'in/tue/long', LONG)
    return tmp_path / 'in'


@pytest.fixture(scope='session')
def expected(tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """Messages that segment_bag writes for write_street_bag(path, frames)."""
    folder = tmp_path_factory.mktemp('expected')

    @cache
    def made(frames: int) -> Messages:
        source = write_street_bag(folder / f'in_{frames}', frames)
        assert segment_bag([str(source), str(folder / f'out_{frames}'), *QUICK]) == 0
        return read_messages(folder / f'out_{frames}')
    return made
