# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's timing, and its tables, JSON and plots."""
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.tools.benchmark import command as benchmark
from fanet_ros.tools.benchmark import training as benchmark_training
from fanet_ros.tools.benchmark.authors import AuthorsError, load_authors_network
from fanet_ros.tools.benchmark.report import tables
from fanet_ros.tools.benchmark.timing import Case, growth_exponent, take_turns

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (64, 96))


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    save_checkpoint(path, METADATA.build_network(), METADATA)
    return path


def test_cases_take_turns_and_every_other_round_goes_backwards() -> None:
    order: list[str] = []
    cases = [Case(name, lambda name=name: order.append(name), frames=frames)
             for name, frames in (('a', 1), ('b', 4))]
    first, second = take_turns(cases, 3)
    assert ''.join(order) == 'aabb' + 'ab' + 'ba' + 'ab'
    assert first.ratios == (1.0, 1.0, 1.0) and len(second.times_ms) == 3
    assert second.ratios == tuple(a / b for a, b in zip(first.times_ms, second.times_ms))
    figures = second.as_dict()
    assert figures['quartiles_ms'][0] <= figures['median_ms'] <= figures['quartiles_ms'][1]


@pytest.mark.parametrize('power', [1.0, 2.0])
def test_exponent_of_a_power_law(power: float) -> None:
    sizes = [100, 200, 400]
    assert growth_exponent(sizes, [3 * size ** power for size in sizes]) == pytest.approx(power)


def test_other_folders_than_the_authors_repository_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(AuthorsError, match='fanet.py is missing'):
        load_authors_network(tmp_path, 'resnet18', 19)


def test_authors_code_is_loaded_without_downloads(tmp_path: Path) -> None:
    folder = tmp_path / 'Testing' / 'models' / 'fanet'
    folder.mkdir(parents=True)
    (folder / '__init__.py').write_text('raise RuntimeError("imports all their other networks")')
    (folder / 'resnet.py').write_text('model_zoo = None\ndef load(): return model_zoo.load_url("https://")')
    (folder / 'fanet.py').write_text(
        'import torch\nfrom .resnet import load\nclass FANet(torch.nn.Module):\n    def __init__(self, classes, backbone):\n'
        '        super().__init__()\n        self.made_of = classes, backbone, load()\n')
    network = load_authors_network(tmp_path, 'resnet34', 19)
    assert network.made_of == (19, 'resnet34', {}) and not network.training


def test_command_writes_json_table_and_plots(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert benchmark.main([
        '--suites', 'network', 'segmenter', 'pixels', 'attention', 'batch', '--sizes', '64x64', '128x64', '--rounds', '3',
        '--frames', '3', '--engines', 'torch', '--precisions', 'float32', '--batches', '1', '2', '--device', 'cpu',
        '--checkpoint', str(checkpoint), '--output', str(tmp_path)]) == 0
    content = json.loads((tmp_path / 'benchmark.json').read_text())
    assert content['machine']['threads'] == torch.get_num_threads() and content['machine']['versions']['torch']
    suites = [result['suite'] for result in content['results']]
    assert suites == ['network'] * 2 + ['segmenter'] * 2 + ['pixels'] + ['attention'] * 2 + ['batch']
    for result in content['results']:
        assert result['rows'][0]['ratio'] == 1.0 and all(row['rounds'] >= 3 for row in result['rows'])
    segmenter = content['results'][2]['rows'][0]
    assert segmenter['agreement'] == 1.0 and set(segmenter['stages_ms']) == {
        'preprocess_ms', 'network_ms', 'postprocess_ms'}
    assert (tmp_path / 'benchmark.md').read_text().count('\n|---') == len(suites)
    assert {'pixels.png', 'attention.png', 'stages_64x64.png', 'latency_128x64.png', 'network_fanet18_64x64.png'} <= {
        path.name for path in tmp_path.glob('*.png')}
    assert tables(content['results']) in (tmp_path / 'benchmark.md').read_text()
    assert 'frame to labels' in capsys.readouterr().out


def test_both_trainers_are_timed_in_images_per_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(benchmark_training.ITERATIONS, 'cpu', 1)
    assert benchmark.main(['--suites', 'training', '--sizes', '96x64', '--rounds', '3', '--batches', '2', '--device', 'cpu',
                           '--output', str(tmp_path)]) == 0
    result, = json.loads((tmp_path / 'benchmark.json').read_text())['results']
    assert [row['name'] for row in result['rows']] == ['views by OpenCV on the CPU', 'views by PyTorch on cpu']
    for row in result['rows']:
        assert row['images_per_second'] == pytest.approx(1e3 / row['median_ms']) and row['rounds'] == 3
    assert 'fanet18, batches of 2, 96x64, cost of an image in training' in (tmp_path / 'benchmark.md').read_text()


def test_labelled_frames_add_the_accuracy(checkpoint: Path, tmp_path: Path) -> None:
    import cv2
    import numpy as np
    for name, shape in (('images', (50, 70, 3)), ('labels', (50, 70))):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / '1.png'), np.ones(shape, np.uint8))
    assert benchmark.main(['--suites', 'segmenter', '--sizes', '96x64', '--rounds', '3', '--engines', 'torch', '--precisions',
                           'float32', '--device', 'cpu', '--checkpoint', str(checkpoint), '--data', str(tmp_path),
                           '--output', str(tmp_path / 'out')]) == 0
    row, = json.loads((tmp_path / 'out' / 'benchmark.json').read_text())['results'][0]['rows']
    assert 0 <= row['mean_iou'] <= 1 and (tmp_path / 'out' / 'accuracy_speed.png').is_file()


@pytest.mark.parametrize('arguments', [['--sizes', '512'], ['--rounds', '1'], ['--engines', 'abacus']])
def test_invalid_arguments_are_rejected(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        benchmark.main(arguments)


def test_errors_are_one_line(capsys: pytest.CaptureFixture) -> None:
    assert benchmark.main(['--suites', 'segmenter', '--checkpoint', 'nothing', '--device', 'cpu']) == 1
    assert capsys.readouterr().err.startswith('benchmark: ') and 'nothing' not in capsys.readouterr().out
