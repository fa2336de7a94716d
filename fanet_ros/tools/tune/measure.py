# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Has one candidate measured by a process of its own, and takes whatever becomes of it as an answer."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fanet_ros.host.other_load import OtherLoad
from fanet_ros.tools.tune import child as tune_child
from fanet_ros.tools.tune.child import ChildRequest

MESSAGE_LENGTH = 300


def measure(request: ChildRequest, cache: Path, timeout_s: float) -> dict[str, Any]:
    """The figures of tune_child.run(), with `busy_cores` of other processes meanwhile; or `error`, why there are none.

    :param cache: folder for what the engines convert, so that candidates nobody chooses do not fill the user's cache
    :raises OSError: the process cannot be started
    """
    load = OtherLoad()
    with tempfile.TemporaryDirectory(prefix='fanet_ros_tune_') as folder:
        request_path, answer_path, log = (Path(folder) / name for name in ('request.json', 'answer.json', 'log'))
        request_path.write_text(request.to_json())
        with open(log, 'wb') as output:
            child = subprocess.Popen(
                [sys.executable, '-m', tune_child.__name__, str(request_path), str(answer_path)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=_environment(cache),
                start_new_session=True)         # Ctrl-C comes to this process alone, which ends the child
        try:
            child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return {'error': f'took longer than {timeout_s:.0f} s: give it more with --timeout-s'}
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        if child.returncode == 0 and answer_path.is_file():
            answer: dict[str, Any] = json.loads(answer_path.read_text())
            return answer if 'error' in answer else {**answer, 'busy_cores': load.busy_cores()}
        return {'error': _last_words(child.returncode, log.read_text(errors='replace'))}


def _environment(cache: Path) -> dict[str, str]:
    """This process's, in which the child finds the very same code whatever its current directory holds."""
    package = Path(tune_child.__file__).absolute().parents[3]
    paths = [str(package), *filter(None, [os.environ.get('PYTHONPATH')])]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'XDG_CACHE_HOME': str(cache), 'PYTHONSAFEPATH': '1'}


def _last_words(code: int, output: str) -> str:
    last = (output.strip().splitlines() or ['it said nothing'])[-1][:MESSAGE_LENGTH]
    if code == -signal.SIGKILL:
        return f'was killed, for want of memory perhaps ({last})'
    if code < 0:
        return f'crashed by {signal.Signals(-code).name} ({last})'
    return f'ended with exit code {code} ({last})'
