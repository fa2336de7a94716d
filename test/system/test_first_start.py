# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every installed executable on a fresh account: --help is fast, and no unnecessary files are left behind."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from executables import find_executable

from fanet_ros.commands import COMMANDS

NODES = ('segmentation_node', 'camera_node', 'recorder_node', 'player_node', 'dashboard')
UNTIL_STOPPED = ('live',)       # runs nodes that are tested here individually
TOOLS = sorted(set(COMMANDS) - {*NODES, *UNTIL_STOPPED})
# What the home directory may contain afterwards: ROS logs, the engine cache, matplotlib's font cache.
ALLOWED = ('.ros/log/', '.cache/fanet_ros/', '.cache/matplotlib/', '.config/matplotlib/')
TIMEOUT_S = 300


def environment(home: Path, domain_id: int) -> dict[str, str]:
    """Environment of a fresh account, without variables that disable telemetry."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith('XDG_') and name not in ('ORT_DISABLE_TELEMETRY', 'MPLCONFIGDIR', 'CI')}
    return {**kept, 'HOME': str(home), 'ROS_DOMAIN_ID': str(domain_id), 'PYTHONUNBUFFERED': '1'}


def written(home: Path) -> list[str]:
    """Files under `home`, relative to it."""
    return sorted(str(path.relative_to(home)) for path in home.rglob('*') if path.is_file())


@pytest.mark.parametrize('name', COMMANDS)
def test_help_needs_no_torch_and_starts_nothing(name: str, tmp_path: Path) -> None:
    home = tmp_path / 'home'
    home.mkdir()
    done = subprocess.run([sys.executable, '-X', 'importtime', str(find_executable(name)), '--help'], cwd=home,
                          env=environment(home, 0), capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert name in done.stdout.splitlines()[0] and done.stdout.startswith('usage:')
    imported = {line.rpartition('|')[2].strip() for line in done.stderr.splitlines() if line.startswith('import time:')}
    assert 'argparse' in imported or 'rclpy' in imported
    assert not imported & {'torch', 'onnxruntime', 'openvino', 'matplotlib'}
    assert written(home) == []


@pytest.mark.parametrize('name', NODES)
def test_help_of_a_node_names_its_parameters(name: str) -> None:
    parameters = {'segmentation_node': 'latency_budget_ms *', 'camera_node': 'source', 'recorder_node': 'topics',
                  'player_node': 'start_delay_s', 'dashboard': 'record_folder'}
    done = subprocess.run([str(find_executable(name)), '-h'], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert f'\n  {parameters[name]}\n' in done.stdout


@pytest.fixture(name='commands', scope='module')
def commands_fixture(small_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], int]]:
    """For each executable that exits on its own: arguments that exercise all available engines, and the expected exit code."""
    folder = tmp_path_factory.mktemp('data')
    for kind in ('images', 'labels'):
        (folder / kind).mkdir()
    noise = np.random.default_rng(0)
    for number in range(8):
        cv2.imwrite(str(folder / 'images' / f'{number}.png'), noise.integers(0, 256, (96, 128, 3), np.uint8))
        cv2.imwrite(str(folder / 'labels' / f'{number}.png'), noise.integers(0, 11, (96, 128), np.uint8))
    checkpoint, nothing = str(small_checkpoint), str(folder / 'nothing')
    out = {name: str(folder / name) for name in COMMANDS}
    return {
        'adapt': ([str(folder / 'images'), '--checkpoint', checkpoint, '--output', out['adapt'] + '.safetensors', '--force'], 0),
        'average_checkpoints': ([checkpoint, checkpoint, '--output', out['average_checkpoints'] + '.safetensors'], 0),
        'balance_classes': ([checkpoint, '--on', checkpoint, str(folder), '--output', out['balance_classes']
                             + '.safetensors'], 0),
        'benchmark': (['--suites', 'segmenter', '--sizes', '128x96', '--rounds', '3', '--frames', '2', '--checkpoint',
                       checkpoint, '--output', out['benchmark']], 0),
        'benchmark_bags': (['--bags', '1', '--frames', '2', '--long', '4', '--size', '128x96', '--workers', '1', '--checkpoint',
                            checkpoint, '--output', out['benchmark_bags']], 0),
        'benchmark_dashboard': (['--viewers', '0', '--seconds', '1', '--size', '128x96', '--checkpoint', checkpoint], 0),
        'benchmark_start': (['--rounds', '1', '--size', '128x96', '--checkpoint', checkpoint, '--output',
                             out['benchmark_start']], 0),
        'benchmark_transport': (['--rates', '5', '--rounds', '1', '--seconds', '1', '--size', '128x96', '--resolution',
                                 '128x96', '--only', 'tuned', '--output', out['benchmark_transport']], 0),
        'calibrate': ([checkpoint, '--data', str(folder), '--output', out['calibrate'] + '.safetensors'], 0),
        'compress_checkpoint': ([checkpoint, '--output', out['compress_checkpoint'] + '.safetensors'], 0),
        'demo': (['--seconds', '1', '--checkpoint', checkpoint, '--size', '128x96', '--output', out['demo']],
                 0),
        'doctor': (['--no-camera', '--ros-args', '-p', f'checkpoint:={checkpoint}'], 0),
        'evaluate': (['--data', str(folder), '--checkpoint', checkpoint, '--report', out['evaluate']], 0),
        'export': ([out['export'] + '.onnx', '--checkpoint', checkpoint, '--full'], 0),
        'gpu': (['--device', 'cpu', '--steps', 'costs', '--output', out['gpu']], 0),
        'gpu_train': ([nothing, '--minutes', '1', '--output', out['gpu_train']], 1),
        'import_weights': ([nothing, nothing, '--class-map', nothing, '--training-size', '128x96'], 1),
        'pack': (['own_folder', '--set', f'data.0.path={folder}', '--output', out['pack']], 1),       # an absolute path
        'pick': ([str(folder / 'images'), '--checkpoint', checkpoint, '--output', out['pick']], 0),
        'soft_labels': (['own_folder', '--teacher', checkpoint, '--scales', '1', '--set', f'data.0.path={folder}', '--set',
                         f'data.0.soft_labels={out["soft_labels"]}.npz'], 0),
        'segment_images': ([str(folder / 'images'), '--checkpoint', checkpoint, '--output', out['segment_images']], 0),
        'segment_bag': ([nothing, out['segment_bag']], 1),
        'compare_masks': ([nothing, nothing], 2),
        'cut_frames': ([nothing, '--archive', nothing, '--output', out['cut_frames']], 2),
        'segment_bags': ([nothing, '--output', out['segment_bags']], 2),
        'train': (['own_folder', '--output', out['train'], '--set', f'data.0.path={folder}', '--set', 'init=' + checkpoint,
                   '--set', 'training.iterations=1', '--set', 'training.batch_size=2'], 0),
        'tune': ([str(folder), '--output', out['tune'], '--checkpoints', checkpoint, '--scales', '1', '--frames', '2'], 0),
    }


def test_the_table_names_every_tool(commands: dict[str, tuple[list[str], int]]) -> None:
    assert sorted(commands) == TOOLS


@pytest.mark.slow
@pytest.mark.parametrize('name', TOOLS)
def test_a_tool_leaves_no_foreign_files_in_the_home_directory(
        commands: dict[str, tuple[list[str], int]], name: str, tmp_path: Path, ros_domain_id: int) -> None:
    arguments, code = commands[name]
    done = subprocess.run([str(find_executable(name)), *arguments], cwd=tmp_path, env=environment(tmp_path, ros_domain_id),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert [path for path in written(tmp_path) if not path.startswith(ALLOWED)] == []


@pytest.mark.slow
@pytest.mark.parametrize('name', NODES)
def test_a_node_leaves_no_foreign_files_in_the_home_directory(
        start_executable: Callable[..., Any], client: Any, small_checkpoint: Path, name: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, sign = {
        'segmentation_node': (['-p', f'checkpoint:={small_checkpoint}'], 'now segmenting'),  # engine auto: all are tried
        'camera_node': (['-p', 'width:=128', '-p', 'height:=96'], 'publishing'),
        'recorder_node': (['-p', f'output:={tmp_path / "bag"}'], 'recording'),
        'player_node': (['-p', 'bag:=/nothing'], 'bag'),
        'dashboard': (['-p', 'port:=0'], 'open http')}[name]
    home = tmp_path / 'home'
    home.mkdir()
    for variable, value in environment(home, 0).items():
        monkeypatch.setenv(variable, value)
    for variable in ('ORT_DISABLE_TELEMETRY', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'CI'):
        monkeypatch.delenv(variable, raising=False)
    process = start_executable(name, '--ros-args', *arguments)
    client.wait_for(lambda: sign in process.log, f'{sign!r} in the log of {name}')
    if process.is_alive:
        process.stop(signal.SIGINT)
    found = written(home)
    assert [path for path in found if not path.startswith(ALLOWED)] == []
    assert any(path.startswith('.cache/fanet_ros/') for path in found) == (name == 'segmentation_node')
