# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends `adapt` and `pick` without a traceback while they still load their libraries, which takes seconds."""
from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(('command', 'output'), [('adapt', 'mine.safetensors'), ('pick', 'to_label')])
def test_ctrl_c_while_libraries_are_loaded(command: str, output: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, '-X', 'importtime', '-m', 'fanet_ros', command, str(tmp_path), '--output', str(tmp_path / output)],
        stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        assert any('| ' in line and line.rsplit('|', 1)[1].strip().startswith('torch.') for line in process.stderr)
        process.send_signal(signal.SIGINT)
        printed = process.stderr.read()
        assert process.wait() == 130
    finally:
        process.kill()
    assert 'stopped' in printed and 'Traceback' not in printed
