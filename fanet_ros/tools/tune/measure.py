# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure a candidate in a child process, so that a crash or a timeout is just another result."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fanet_ros.host.background_load import BackgroundLoad
from fanet_ros.host.child_process import start_child
from fanet_ros.tools.tune import child as tune_child
from fanet_ros.tools.tune.child import ChildRequest

MESSAGE_LENGTH = 300


def measure(request: ChildRequest, cache: Path, timeout_s: float) -> dict[str, Any]:
    """The figures of tune_child.run(), with the `busy_cores` of other processes meanwhile; or `error`, why there are none.

    :param cache: folder for models that the engines convert, so that rejected candidates do not fill the user's cache
    :raises OSError: the process cannot be started
    """
    load = BackgroundLoad()
    with tempfile.TemporaryDirectory(prefix='fanet_ros_tune_') as folder:
        request_path, answer_path, log = (Path(folder) / name for name in ('request.json', 'answer.json', 'log'))
        request_path.write_text(json.dumps(asdict(request)))
        with open(log, 'wb') as output:
            child = start_child([sys.executable, '-m', tune_child.__name__, str(request_path), str(answer_path)],
                                stdout=output, stderr=subprocess.STDOUT, env=_environment(cache))
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return {'error': f'took longer than {timeout_s:.0f} s: raise --timeout-s'}
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if child.returncode == 0 and answer_path.is_file():
            answer: dict[str, Any] = json.loads(answer_path.read_text())
            return answer if 'error' in answer else {**answer, 'busy_cores': load.busy_cores()}
        return {'error': _exit_reason(child.returncode, log.read_text(errors='replace'))}


def _environment(cache: Path) -> dict[str, str]:
    """Environment in which the child imports this same package, whatever its current directory holds."""
    package = Path(tune_child.__file__).absolute().parents[3]
    paths = [str(package), *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'XDG_CACHE_HOME': str(cache), 'PYTHONSAFEPATH': '1'}


def _exit_reason(code: int, output: str) -> str:
    last = (output.strip().splitlines() or ['no output'])[-1][:MESSAGE_LENGTH]
    if code == -signal.SIGKILL:
        return f'was killed, perhaps for lack of memory ({last})'
    if code < 0:
        return f'crashed with {signal.Signals(-code).name} ({last})'
    return f'ended with exit code {code} ({last})'
