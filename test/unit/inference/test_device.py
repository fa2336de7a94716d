# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Free memory, and memory in use."""
from __future__ import annotations

import mmap
from pathlib import Path
from typing import Optional

import pytest
import torch

from fanet_ros.inference import SegmentationError, device, resident_mib

CPU = torch.device('cpu')


@pytest.fixture(name='cgroup')
def cgroup_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cgroup folder of a container; at first without a limit."""
    monkeypatch.setattr(device, 'CGROUP', str(tmp_path))
    return tmp_path


@pytest.mark.parametrize('limit', ['max', None])
def test_without_a_limit_all_available_memory_counts(cgroup: Path, limit: Optional[str]) -> None:
    if limit:
        (cgroup / 'memory.max').write_text(f'{limit}\n')
        (cgroup / 'memory.current').write_text('1000\n')
    device.check_memory(64, 64, 11, CPU)
    with pytest.raises(SegmentationError, match='GiB are free: choose a lower resolution'):
        device.check_memory(2**20, 2**20, 11, CPU)


def test_container_limit_counts(cgroup: Path) -> None:
    (cgroup / 'memory.max').write_text(f'{3 * 2**30}\n')
    (cgroup / 'memory.current').write_text(f'{2 * 2**30}\n')
    (cgroup / 'memory.stat').write_text('anon 5\ninactive_file 0\n')
    device.check_memory(1024, 2048, 11, CPU)
    with pytest.raises(SegmentationError, match='needs about 1.7 GiB on cpu, 1.0 GiB are free'):
        device.check_memory(2048, 4096, 11, CPU)


def test_file_cache_of_a_container_is_free(cgroup: Path) -> None:
    test_container_limit_counts(cgroup)
    (cgroup / 'memory.stat').write_text(f'anon 5\ninactive_file {2**30}\nactive_file {2**30}\n')
    device.check_memory(2048, 4096, 11, CPU)


def test_resident_memory_grows_by_what_is_written_to() -> None:
    before = resident_mib()
    with mmap.mmap(-1, 64 * 2**20) as block:        # not from the heap, which may have as much free already
        for offset in range(0, len(block), mmap.PAGESIZE):
            block[offset] = 1
        assert 60 < resident_mib() - before < 80
