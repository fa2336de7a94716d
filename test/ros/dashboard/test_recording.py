# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder that the dashboard starts does not outlive it."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fanet_ros.host.child_process import SETPRIV

TIMEOUT_S = 200.0
DASHBOARD = '''
import asyncio, sys
from pathlib import Path
from fanet_ros.ros.dashboard.recording import BagRecorder

async def record():
    recorder = BagRecorder(Path(sys.argv[1]))
    await recorder.start(['/nothing?'])
    while not recorder.status()['megabytes'] and not list(Path(sys.argv[1]).glob('*/*.mcap')):
        await asyncio.sleep(0.05)
    print('recording', flush=True)
    await asyncio.sleep(600)

asyncio.run(record())
'''


@pytest.mark.skipif(not SETPRIV, reason='setpriv of util-linux is not installed')
def test_a_killed_dashboard_leaves_no_recorder_behind(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, '-c', DASHBOARD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as dashboard:
        assert dashboard.stdout is not None and dashboard.stdout.readline() == 'recording\n'
        recorder, = psutil.Process(dashboard.pid).children()
        dashboard.kill()
    recorder.wait(TIMEOUT_S)
    assert list(tmp_path.glob('*/metadata.yaml')), 'the bag is complete'
