# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make live` as a user runs it: three processes and a page, until Ctrl-C; and the choice of a port."""
from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('aiohttp')

from executables import find_executable

TIMEOUT_S = 120.0


@pytest.fixture(name='start_live')
def start_live_fixture(small_checkpoint: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts live on a port."""
    started: list[subprocess.Popen] = []
    environment = {name: value for name, value in os.environ.items() if name != 'ROS_DOMAIN_ID'}       # it chooses a free one

    def start(port: int) -> subprocess.Popen:
        command = [str(find_executable('live')), '--port', str(port), '--checkpoint', str(small_checkpoint), '--device', 'cpu',
                   '--engine', 'torch', '--rate', '2']
        started.append(subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1]
    yield start
    for process in started:
        process.kill()
        process.communicate()


def link_of(process: subprocess.Popen) -> str:
    """The address that it prints once the page is served."""
    line = process.stdout.readline()
    found = re.match('open (http://localhost:[1-9][0-9]*) in a browser: the synthetic street at 2 Hz', line)
    assert found, line + process.stderr.read()
    return found[1]


def test_port_0_is_any_free_port(start_live: Callable[..., subprocess.Popen]) -> None:
    process = start_live(0)
    with urllib.request.urlopen(link_of(process), timeout=TIMEOUT_S) as page:
        assert b'<canvas' in page.read()
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) == 0


def test_it_serves_a_page_until_ctrl_c(start_live: Callable[..., subprocess.Popen]) -> None:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = start_live(port)
    assert link_of(process) == f'http://localhost:{port}'
    with urllib.request.urlopen(f'http://localhost:{port}/', timeout=TIMEOUT_S) as page:
        assert b'<canvas' in page.read()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0 and stderr == ''
    with pytest.raises(urllib.error.URLError, match='refused'):
        urllib.request.urlopen(f'http://localhost:{port}/', timeout=TIMEOUT_S)


def test_a_port_in_use_is_reported_with_the_remedy(start_live: Callable[..., subprocess.Popen]) -> None:
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        process = start_live(taken.getsockname()[1])
        _, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 1 and 'dashboard ended with exit code 1' in stderr and 'choose another with -p port:=' in stderr


@pytest.mark.slow
def test_the_benchmark_of_the_dashboard_takes_any_free_port_too(small_checkpoint: Path, ros_domain_id: int) -> None:
    command = [str(find_executable('benchmark_dashboard')), '--port', '0', '--viewers', '2', '--seconds', '1', '--size', '128x96',
               '--checkpoint', str(small_checkpoint), '--engine', 'torch']
    done = subprocess.run(command, env={**os.environ, 'ROS_DOMAIN_ID': str(ros_domain_id)}, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0 and re.search(r'^\| 2 \| [0-9.]+ \|', done.stdout, re.MULTILINE), done.stdout + done.stderr
