# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command `tune`: from frames to files, also after interruptions."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml

from fanet_ros.inference import SegmenterOptions
from fanet_ros.model import load_checkpoint, save_checkpoint
from fanet_ros.tools.tune.candidates import Candidate, find_runners, largest_of, load_model, make_candidates, reference_of, sizes_of
from fanet_ros.tools.tune.child import ChildRequest
from fanet_ros.tools.tune.command import main
from fanet_ros.tools.tune.measure import measure
from fanet_ros.tools.tune.results import Results, Row

DEADLINE_S = 300.0
CPU = torch.device('cpu')
CANDIDATE = Candidate('small', 'small', 'fanet18', 64, 96, 'torch', 'float32')
SMALL = ['--frames', '2', '--checkpoints', 'fanet18_camvid', '--resolutions', '96x64', '128x96', '--engines', 'torch',
         '--precisions', 'float32', '--device', 'cpu', '--quiet']


def results_of(folder: Path) -> list[dict[str, Any]]:
    path = folder / 'results.json'
    return json.loads(path.read_text())['rows'] if path.is_file() else []


@pytest.mark.slow
def test_interrupt_resume_and_choose_again(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    folder = tmp_path / 'tuned'
    command = ['street', '--output', str(folder), *SMALL]
    process = subprocess.Popen([sys.executable, '-m', 'fanet_ros', 'tune', *command], stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not results_of(folder):
            assert process.poll() is None and time.monotonic() < deadline, 'no first result'
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(DEADLINE_S) == 130
        assert 'run the same command again to resume' in process.stderr.read()
    finally:
        process.kill()
    first, = results_of(folder)
    assert main([*command, '--budget-ms', '60000']) == 0
    assert results_of(folder)[0] == first and len(results_of(folder)) == 2
    printed = capsys.readouterr().out
    assert 'mIoU %' in printed and 'chosen: fanet18_camvid 128x96 torch float32' in printed
    for row in results_of(folder):
        assert row['timings'] == 30 and 0 < row['p50_ms'] <= row['p95_ms'] and row['memory_mib'] > 50
        assert 0 < row['mean_iou'] < row['pixel_agreement'] < 1
    assert {path.name for path in folder.iterdir()} >= {'tuned.param.yaml', 'tune.md', 'tune.json', 'tune.png', 'frames'}

    before = results_of(folder)
    assert main([*command, '--budget-ms', '0.001']) == 0       # nothing is measured again
    assert results_of(folder) == before and 'WARN: nothing fits 0.001 ms' in capsys.readouterr().out
    values = yaml.safe_load((folder / 'tuned.param.yaml').read_text())['/**']['ros__parameters']
    assert (values['checkpoint'], values['engine'], values['device']) == ('fanet18_camvid', 'torch', 'cpu')
    assert values['latency_budget_ms'] == 0.001

    assert main([*command, '--frames', '3']) == 1
    assert 'was started with other settings (frames was 2, is 3)' in capsys.readouterr().err


@pytest.mark.slow
def test_an_output_inside_the_source_does_not_count_as_a_change_of_it(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name, pixels in (('images', np.zeros((64, 96, 3), np.uint8)), ('labels', np.zeros((64, 96), np.uint8))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / 'a.png'), pixels)
    command = [str(tmp_path), '--output', str(tmp_path / 'tuned'), *SMALL]
    command.remove('128x96')
    assert main(command) == 0
    before = results_of(tmp_path / 'tuned')
    assert main(command) == 0 and results_of(tmp_path / 'tuned') == before
    cv2.imwrite(str(tmp_path / 'images' / 'a.png'), np.full((64, 96, 3), 9, np.uint8))
    assert main(command) == 1 and 'other settings (source was' in capsys.readouterr().err


@pytest.mark.slow
def test_without_labels_quality_is_agreement_with_the_largest_resolution(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    import cv2
    import numpy as np
    (tmp_path / 'images').mkdir()
    generator = np.random.default_rng(0)
    for number in range(2):
        blurred = cv2.GaussianBlur(generator.integers(0, 256, (80, 120, 3), np.uint8), (0, 0), 6)
        cv2.imwrite(str(tmp_path / 'images' / f'{number}.png'), cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX))
    folder = tmp_path / 'tuned'
    assert main([str(tmp_path / 'images'), '--output', str(folder), *SMALL, '--resolutions', '128x96']) == 0
    row, = results_of(folder)
    assert row['mean_iou'] == row['pixel_agreement'] == 1.0
    found = json.loads((folder / 'tune.json').read_text())
    assert found['quality'] == 'agreement with fanet18_camvid 128x96 torch float32'
    printed = capsys.readouterr().out
    assert 'mIoU' not in printed and 'camera of 10 Hz, assumed: give --rate-hz' in printed
    assert main([str(tmp_path / 'images'), '--output', str(folder), *SMALL, '--resolutions', '160x96']) == 1
    assert 'reference was fanet18_camvid 128x96' in capsys.readouterr().err


def request(**changed: Any) -> ChildRequest:
    return ChildRequest(**{**dict(
        frames='/nowhere', checkpoint='nothing', options=SegmenterOptions('cpu', 'torch', 'float32', 64, 96), smoothing=0.0),
        **changed})


def test_failures_are_reported_as_errors(tmp_path: Path) -> None:
    (tmp_path / 'frames.json').write_text(json.dumps(dict(
        count=1, height=4, width=4, has_labels=True, has_earlier=False, class_names=['a'], rate_hz=None, image_topic='')))
    answer = measure(request(frames=str(tmp_path)), tmp_path / 'cache', DEADLINE_S)
    assert list(answer) == ['error'] and "checkpoint 'nothing' not found" in answer['error']
    assert 'longer than 0 s' in measure(request(), tmp_path / 'cache', 0.01)['error']
    (tmp_path / 'frames.json').write_text('{}')          # an unexpected error ends the process
    answer = measure(request(frames=str(tmp_path)), tmp_path / 'cache', DEADLINE_S)
    assert 'exit code 1 (' in answer['error'] and 'class_names' in answer['error']


def test_results_are_kept_and_other_settings_rejected(tmp_path: Path) -> None:
    folder, row = tmp_path / 'tuned', Row(CANDIDATE, 1.0, 2.0, 3.0, error='')
    with Results(folder, {'frames': 2}) as results:
        results.begin(reference='x')
        results.add(row)
        results.add(Row(CANDIDATE.__class__(**{**vars(CANDIDATE), 'engine': 'ncnn'}), error='crashed'))
        with pytest.raises(ValueError, match='another process'), Results(folder, {'frames': 2}):
            pass
    with Results(folder, {'frames': 2}) as results:
        assert results.rows[CANDIDATE] == row and results.is_measured(CANDIDATE)
        assert [results.is_measured(item) for item in results.rows] == [True, False]     # failed candidates are tried again
        with pytest.raises(ValueError, match='reference was x, is y'):
            results.begin(reference='y')
    with pytest.raises(ValueError, match='frames was 2, is 3'), Results(folder, {'frames': 3}):
        pass
    (folder / 'results.json').write_text('{"settings": {}, "rows": [{}]}')
    with pytest.raises(ValueError, match='damaged'), Results(folder, {}):
        pass
    with Results(tmp_path / 'unused', {}):
        pass
    assert not (tmp_path / 'unused').exists()


def test_checkpoints_of_trainings_are_called_as_in_the_node(tmp_path: Path) -> None:
    metadata = load_checkpoint('fanet18_camvid').metadata
    for run in ('first', 'second'):
        (tmp_path / run).mkdir()
        save_checkpoint(tmp_path / run / 'checkpoint.safetensors', metadata.build_network(), metadata)
    assert [load_model(str(tmp_path / run / 'checkpoint.safetensors')).name for run in ('first', 'second')] == ['first', 'second']


def test_candidates_are_supported_combinations(tmp_path: Path) -> None:
    metadata = replace(load_checkpoint('fanet18_camvid').metadata, temporal_frames=2)
    save_checkpoint(tmp_path / 'video.safetensors', metadata.build_network(), metadata)
    models = [load_model('fanet18_camvid'), load_model(str(tmp_path / 'video.safetensors'))]
    engines, precisions = ('torch', 'openvino', 'ncnn', 'torch'), ('float32', 'bfloat16', 'float32')      # each counts once
    found = make_candidates(find_runners(models, engines, precisions, CPU), (0.5, 1.0), (), (720, 960))
    runners = [item.runner for item in found if item.name == 'fanet18_camvid' and item.height == 360]
    assert runners == ['torch float32', 'torch bfloat16', 'openvino float32', 'openvino bfloat16', 'ncnn float32']
    assert {item.engine for item in found if item.name == 'video'} == {'torch'}
    assert sizes_of(models[0], (1.0, 0.5, 0.5), (), (720, 960)) == ((192, 256), (360, 480))
    assert sizes_of(models[0], (1.0, 0.5), (), (1024, 2048)) == ((160, 288), (288, 576))       # aspect ratio of the frames
    assert sizes_of(models[0], (1.0,), ((64, 96),), (720, 960)) == ((64, 96),)
    assert reference_of(largest_of(models), found).title == 'fanet18_camvid 480x360 torch float32'
    with pytest.raises(ValueError, match='none of the engines ncnn runs in bfloat16 on cpu .*choose other --engines'):
        find_runners(models[:1], ('ncnn',), ('bfloat16',), CPU)


@pytest.mark.parametrize('arguments', [
    ['street'], ['street', '--output', 'x', '--engines', 'abacus'], ['street', '--output', 'x', '--frames', '0'],
    ['street', '--output', 'x', '--scales', '0'], ['street', '--output', 'x', '--budget-ms', '5', '--rate-hz', '5'],
    ['street', '--output', 'x', '--resolutions', '5'], ['street', '--output', 'x', '--memory-mb', 'nan']])
def test_invalid_arguments_are_rejected(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(arguments)


@pytest.mark.parametrize('name', ['frames', 'converted'])
def test_folders_of_somebody_else_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture,
                                                 name: str) -> None:
    (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / name / 'a.png'), np.zeros((8, 8, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    assert main([name, '--output', '.', '--quiet']) == 1
    assert f'tune: {name} was not written by tune: choose another --output' in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob('*')] == [name, 'a.png']


@pytest.mark.parametrize(('arguments', 'message'), [
    (['{tmp}/nothing'], 'does not exist: expected a rosbag2'),
    (['street', '--checkpoints', '{tmp}/corrupt.safetensors'], 'not a readable safetensors file'),
    (['street', '--checkpoints', 'fanet99'], 'one of the shipped names'),
    (['street', '--output', '{tmp}/corrupt.safetensors'], 'choose another --output'),
    (['street', '--output', '/proc/tuned'], 'choose another --output'),
    (['street', '--params-file', '{tmp}/none.yaml'], 'cannot be read'),
    (['street', '--device', 'abacus'], "device 'abacus' is unknown"),
    (['street', '--engines', 'ncnn', '--precisions', 'int8'], 'choose other --engines or --precisions')])
def test_errors_are_one_line(arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / 'corrupt.safetensors').write_bytes(b'no weights')
    given = [item.replace('{tmp}', str(tmp_path)) for item in arguments]
    assert main([given[0], '--output', str(tmp_path / 'out'), '--quiet', *given[1:]]) == 1
    error = capsys.readouterr().err
    assert error.startswith('tune: ') and message in error and error.count('\n') == 1
    assert not (tmp_path / 'out').exists()
