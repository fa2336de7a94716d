# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command reports how it ended by its exit code and, after an error, by one line."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Optional

import pytest

from fanet_ros.host.termination import exit_code_of, sigterm_interrupts


def raising(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(('result', 'code'), [(None, 0), (0, 0), (3, 3)])
def test_the_result_of_the_work_is_the_exit_code(result: Optional[int], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of('cut', lambda: result) == code
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize(('error', 'line'), [
    (ValueError('no such\n  size'), 'no such size'), (ValueError(), 'ValueError'),
    (OSError(28, 'No space left', '/a'), "[Errno 28] No space left: '/a'")])
def test_an_error_is_one_line(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of('cut', lambda: raising(error)) == 1
    assert capsys.readouterr().err == f'cut: {line}\n'


def test_a_system_error_comes_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of('cut', lambda: raising(OSError(28, 'No space left', '/a')), remedy=lambda error: f'{error.errno}!') == 1
    assert capsys.readouterr().err == 'cut: No space left /a: 28!\n'


def test_an_unexpected_error_is_raised() -> None:
    with pytest.raises(RuntimeError, match='a fault'):
        exit_code_of('cut', lambda: raising(RuntimeError('a fault')))
    assert exit_code_of('cut', lambda: raising(RuntimeError('a process ended')), errors=(RuntimeError,)) == 1


def test_sigterm_is_reported_as_an_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_interrupts():
        assert exit_code_of('cut', lambda: os.kill(os.getpid(), signal.SIGTERM), stopped='goes on') == 130
    assert capsys.readouterr().err == '\ngoes on\n' and signal.getsignal(signal.SIGTERM) == before


def test_sigterm_leaves_through_finally() -> None:
    program = ('import os, signal\nfrom fanet_ros.host.termination import exit_on_sigterm\nexit_on_sigterm()\n'
               'try:\n    os.kill(os.getpid(), signal.SIGTERM)\nfinally:\n    print("closed")')
    ended = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, 'closed\n', '')
