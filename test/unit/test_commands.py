# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `fanet_ros` command that pip installs."""
from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fanet_ros.commands import COMMANDS, main, purpose


def test_help_lists_every_program_with_its_purpose(capsys: pytest.CaptureFixture) -> None:
    assert main(['--help']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(COMMANDS)
    assert all(len(line.split()) > 2 for line in lines[2:])


@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_over_two_lines_stays_one_in_the_help(name: str) -> None:
    assert not re.search(r'\S {4,}--', purpose(name))      # a backslash that Python took for its own


def test_without_a_name_it_prints_its_usage(capsys: pytest.CaptureFixture) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out.startswith('usage: fanet_ros NAME')


def test_a_program_is_run_with_its_arguments(capsys: pytest.CaptureFixture) -> None:
    for name in ('segment-images', 'segment_images'):
        with pytest.raises(SystemExit, match='2'):
            main([name, '--no-such-argument'])
        assert 'usage: segment_images' in capsys.readouterr().err


def test_an_unknown_name_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture) -> None:
    assert main(['trian']) == 2
    assert 'did you mean train?' in capsys.readouterr().err


INTERRUPTED = '''
import os, signal
class Gone:
    def __del__(self):      # a KeyboardInterrupt in here would be printed and lost
        os.kill(os.getpid(), signal.SIGINT)
Gone()
def main(argv):
    print('it runs all the same')
'''


@pytest.mark.parametrize('content', [INTERRUPTED, 'def main(argv): raise KeyboardInterrupt  # where it imports more'])
@pytest.mark.parametrize(('name', 'code'), [('camera_node', 0), ('live', 0), ('segment_bag', 130)])
def test_ctrl_c_while_the_modules_load_is_the_end_of_a_node_but_a_tool_has_failed(
        tmp_path: Path, name: str, code: int, content: str) -> None:
    (tmp_path / 'interrupted.py').write_text(content)
    command = f'import sys; from fanet_ros.commands import *; COMMANDS[{name!r}] = "interrupted"; sys.exit(run({name!r}, []))'
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join([*sys.path, str(tmp_path)])}
    done = subprocess.run([sys.executable, '-c', command], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, '', '')
