# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that is unknown, or not on this machine, is refused before any work is done."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable, Optional

import pytest

from fanet_ros.tools import evaluate
from fanet_ros.tools.benchmark_bags import command as benchmark_bags
from fanet_ros.tools.segment_bag import command as segment_bag
from fanet_ros.tools.segment_bags import command as segment_bags
from fanet_ros.tools.segment_images import command as segment_images

Main = Callable[[Optional[list[str]]], int]
TOOLS = {evaluate.main: ['--data', 'no_data'], segment_bag.main: ['no_bag', 'out'], segment_images.main: ['no_images', 'out'],
         segment_bags.main: ['no_bags', '--output', 'out'], benchmark_bags.main: ['--workers', '1']}


@pytest.mark.parametrize(('main', 'arguments', 'option'), [
    (main, arguments, option) for main, arguments in TOOLS.items() for option in ('--engine', '--precision')
    if (main, option) != (benchmark_bags.main, '--precision')])
def test_an_unknown_name_is_refused_with_the_choices(main: Main, arguments: list[str], option: str,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([*arguments, option, 'abacus'])
    assert f"argument {option}: invalid choice: 'abacus' (choose from" in capsys.readouterr().err


@pytest.mark.parametrize(('main', 'arguments'), [
    (evaluate.main, ['--data', 'no_data', '--checkpoint', 'no_checkpoint']), (segment_bag.main, ['no_bag', 'out']),
    (benchmark_bags.main, ['--bags', '1', '--frames', '1', '--long', '1'])])
@pytest.mark.parametrize(('engine', 'reason'), [('tensorrt', 'runs on a GPU, but device is cpu'), ('ncnn', 'pip install ncnn')])
def test_a_missing_engine_is_refused_before_anything_is_read_or_written(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], main: Main, arguments: list[str],
        engine: str, reason: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, 'ncnn', None)       # as if it were not installed
    assert main([*arguments, '--device', 'cpu', '--engine', engine]) == 1
    printed = capsys.readouterr()
    assert f"engine '{engine}'" in printed.err and reason in printed.err and not printed.out and not list(tmp_path.iterdir())


@pytest.mark.parametrize('main', [main for main in TOOLS if main is not benchmark_bags.main])
def test_the_help_has_the_default_of_every_network_option(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['--help'])
    text = ' '.join(capsys.readouterr().out.split())
    for option, default in (('checkpoint', 'fanet18_camvid'), ('device', 'CUDA'), ('engine', 'auto'), ('precision', 'auto')):
        explanation = text.rpartition(f' --{option} ')[2].partition(' --')[0]       # the first one is in the usage
        assert f'default: {default}' in explanation
