# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes are stopped by their parent, not by the terminal, and do not outlive it."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from fanet_ros.host.child_process import start_child, stop_child

TIMEOUT_S = 60.0
SLEEPER = 'import time; print("up", flush=True); time.sleep(600)'
PARENT = f'''
import subprocess, sys, time
from fanet_ros.host.child_process import start_child
child = start_child([sys.executable, '-c', {SLEEPER!r}], stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
'''


@pytest.fixture(name='parent')
def parent_fixture() -> Iterator[subprocess.Popen]:
    process = subprocess.Popen([sys.executable, '-c', PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                               start_new_session=True)
    yield process
    process.kill()
    process.communicate()


def child_of(parent: subprocess.Popen) -> psutil.Process:
    assert parent.stdout is not None
    return psutil.Process(int(parent.stdout.readline()))


def test_a_child_ends_with_its_parent(parent: subprocess.Popen) -> None:
    child = child_of(parent)
    parent.kill()
    child.wait(TIMEOUT_S)


def test_an_interrupt_from_the_terminal_reaches_only_the_parent(parent: subprocess.Popen) -> None:
    child = child_of(parent)
    assert os.getpgid(child.pid) != os.getpgid(parent.pid)
    os.killpg(parent.pid, signal.SIGINT)        # as a terminal does for Ctrl-C
    assert parent.wait(TIMEOUT_S) != 0
    child.wait(TIMEOUT_S)


def test_an_interrupt_at_the_start_is_not_lost_in_a_fork_hook() -> None:
    code = ('import os, sys; from fanet_ros.host.child_process import start_child; '
            'os.register_at_fork(before=lambda: print("before"), after_in_parent=lambda: print("after")); '
            'print(start_child([sys.executable, "-c", ""]).wait())')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert done.stdout == '0\n'


@pytest.mark.parametrize(('prepare', 'number'), [
    ('', signal.SIGTERM), ('import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ', signal.SIGKILL)])
def test_a_child_is_terminated_and_if_need_be_killed(prepare: str, number: signal.Signals) -> None:
    child = start_child([sys.executable, '-c', prepare + SLEEPER], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == 'up\n'
    stop_child(child, TIMEOUT_S if number == signal.SIGTERM else 0.5)
    assert child.returncode == -number
    child.stdout.close()
