# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CPU capabilities, by the flags that the kernel reports."""
from __future__ import annotations

import pytest

from fanet_ros.host import processor


@pytest.mark.parametrize(('machine', 'flags', 'expected'), [
    ('x86_64', 'sse2 avx2 fma', True), ('x86_64', 'avx2 avx_vnni', False), ('x86_64', 'avx2 avx512f avx512_vnni', False),
    ('x86_64', 'avx512f', True), ('aarch64', '', False)])
def test_bytes_overflow_on_x86_without_vnni(monkeypatch: pytest.MonkeyPatch, machine: str, flags: str, expected: bool) -> None:
    monkeypatch.setattr(processor.platform, 'machine', lambda: machine)
    monkeypatch.setattr(processor, 'cpu_features', lambda: frozenset(flags.split()))
    assert processor.overflows_in_int8() is expected
