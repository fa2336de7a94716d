# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short run of the transport benchmark over real DDS: its figures and its files."""
import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from executables import find_executable

from fanet_ros.ros.benchmark import benchmark_transport
from fanet_ros.ros.benchmark.run import Mask, NoMaskError, Run, smaller_after_s
from fanet_ros.ros.benchmark.transport_report import medians, stage_shares

TIMEOUT_S = 120.0


@pytest.mark.parametrize('option', ['--engine', '--precision'])
def test_an_unknown_engine_is_refused_with_the_choices(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        benchmark_transport.main(['--rates', '5', option, 'abacus'])
    assert f"argument {option}: invalid choice: 'abacus' (choose from" in capsys.readouterr().err


@pytest.mark.slow
def test_camera_to_mask_is_measured_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_transport.main(['--rates', '5', '--size', '128x96', '--resolution', '96x64', '--seconds', '1',
                                     '--engine', 'torch', '--output', str(tmp_path)]) == 0
    content = json.loads((tmp_path / 'transport.json').read_text())
    runs = content['runs']
    assert [run['processes'] for run in runs] == ['tuned', 'camera', 'plain'] and content['medians'] == runs
    for run in runs:
        assert run['sent'] == 5 and 0 <= run['lost'] < 5 and len(run['latencies_ms']) == run['sent'] - run['lost']
        assert 0 < run['transport_ms'][0] <= run['latency_ms'][0] and run['stages_ms']['network_ms'] > 0
        assert run['memory_slope_mib_h'] is None        # noise in such a short run
        assert run['node_cpu_ms'] >= 0 and run['node_memory_mib'] > 0
    assert all((tmp_path / name).stat().st_size > 5000 for name in ('transport.png', 'transport_stages.png'))
    assert sum(line.startswith('| 5 | ') for line in capsys.readouterr().out.splitlines()) == 3


@pytest.mark.slow
def test_with_jpeg_overlay_recorder_and_load(tmp_path: Path) -> None:
    small = ['--rates', '5', '--size', '128x96', '--resolution', '96x64', '--seconds', '2', '--only', 'tuned', '--engine', 'torch']
    assert benchmark_transport.main([
        *small, '--jpeg', '--overlay', '--record', '--busy', '1', '--prefix', 'nice -n 1', '--set', 'overlay_max_rate_hz=2',
        'num_threads=1', '--output', str(tmp_path)]) == 0
    run, = json.loads((tmp_path / 'transport.json').read_text())['runs']
    assert run['sent'] == 10 and run['lost'] < 10 and run['stages_ms']['convert_ms'] > 0
    left = [process for process in psutil.process_iter(['cmdline'])
            if process.info['cmdline'] and process.info['cmdline'][-1] == 'while True: pass']
    assert not left


def test_time_until_the_resolution_is_lowered() -> None:
    masks = [Mask(second * 10**9, [1.0], height) for second, height in enumerate((96, 128, 128, 96, 96))]
    assert smaller_after_s(masks, 15 * 10**8) == 1.5
    assert smaller_after_s(masks, 35 * 10**8) is None and smaller_after_s(masks, None) is None


def test_a_parameter_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        benchmark_transport.main(['--set', 'num_threads'])
    assert "'num_threads': expected NAME=VALUE" in capsys.readouterr().err


def test_a_node_that_cannot_start_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark_transport.main(['--rates', '5', '--seconds', '1', '--set', 'checkpoint=none']) == 1
    assert capsys.readouterr().err.startswith('benchmark_transport: the node ended with exit code 1')


def test_ctrl_c_ends_it_and_its_processes_in_one_line() -> None:
    process = subprocess.Popen(
        [str(find_executable('benchmark_transport')), '--rates', '5', '--engine', 'torch', '--seconds', '300'],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + TIMEOUT_S
    while len(children := psutil.Process(process.pid).children()) < 3:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)       # as a terminal does
    errors = process.communicate(timeout=TIMEOUT_S)[1]
    assert 'Traceback' not in errors and errors.endswith('stopped\n') and process.returncode == 130
    assert psutil.wait_procs(children, TIMEOUT_S)[1] == []


def run_at(rate_hz: float, lost: int = 0, p50: float = 9.0, processes: str = 'tuned') -> Run:
    return Run(rate_hz, processes, 'reliable', 100, lost, (p50, 10.0, 11.0), (4.0, 5.0, 6.0), 1.0,
               {'wait_ms': 1.0, 'network_ms': 5.0}, 3.0, 300.0, None, None, None, (p50,))


@pytest.mark.parametrize('limit_hz', [9.0, 47.3, 130.0])
def test_the_highest_rate_is_found_to_within_a_step(limit_hz: float) -> None:
    found = benchmark_transport.highest_rate(lambda rate_hz: run_at(rate_hz, lost=5 if rate_hz <= limit_hz else 6))
    assert limit_hz / benchmark_transport.RATE_STEP ** 1.01 <= found.rate_hz <= limit_hz and found.lost == 5


def test_no_rate_at_all_gives_none() -> None:
    def fails(rate_hz: float) -> Run:
        raise NoMaskError('no mask received for 80 images')
    assert benchmark_transport.highest_rate(fails) is None
    assert benchmark_transport.highest_rate(lambda rate_hz: run_at(rate_hz, lost=100)) is None


def test_medians_are_computed_per_rate_and_process_kind() -> None:
    summary = medians([run_at(30, p50=value) for value in (9.0, 30.0, 8.0)] + [run_at(30, p50=40.0, processes='plain')])
    assert [(run.processes, run.latency_ms[0]) for run in summary] == [('tuned', 9.0), ('plain', 40.0)]
    assert summary[0].latencies_ms == (9.0, 30.0, 8.0)
    lowered = [replace(run_at(30), smaller_after_s=value) for value in (0.5, None, 2.0, None)]
    assert [medians(lowered[:count])[0].smaller_after_s for count in (1, 3, 4)] == [0.5, 2.0, None]
    assert stage_shares(summary[0]) == {'wait_ms': 1.0, 'network_ms': 5.0, 'way_back_ms': 3.0}
