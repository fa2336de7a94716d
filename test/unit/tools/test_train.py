"""The train and evaluate commands on a small folder of their own, killed and resumed."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from fanet_ros.model import load_checkpoint
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools import evaluate, train
from fanet_ros.training.run_folder import CHECKPOINT_NAME

ITERATIONS = 6


@pytest.fixture(name='recipe')
def recipe_fixture(tmp_path: Path) -> Path:
    """A folder of four colour-coded street pictures of two classes, and a recipe for it."""
    (tmp_path / 'map.yaml').write_text(
        'name: two\nclasses:\n- {name: ground, color: [10, 20, 30]}\n- {name: rest, color: [200, 0, 0]}\n')
    street = SyntheticStreet(96, 64, seed=1)
    for index in range(4):
        frame = street.frame(10 * index)
        mask = np.where(np.isin(frame.labels, (3, 4))[..., None], (30, 20, 10), (0, 0, 200)).astype(np.uint8)      # BGR
        for kind, pixels in (('images', frame.rgb[..., ::-1]), ('labels', mask)):
            (tmp_path / 'data' / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / 'data' / kind / f'{index}.png'), pixels)
    data = {'path': str(tmp_path / 'data'), 'labels': 'colors'}
    path = tmp_path / 'recipe.yaml'
    path.write_text(yaml.safe_dump({
        'class_map': str(tmp_path / 'map.yaml'), 'data': [data], 'validation': [data],
        'augmentation': {'crop_height': 64, 'crop_width': 64},
        'training': {'iterations': ITERATIONS, 'batch_size': 2, 'save_every': 1, 'precision': 'float32', 'validate_every': 3}}))
    return path


def losses(folder: Path) -> list[float]:
    return json.loads((folder / 'history.json').read_text())['losses']


def test_a_killed_training_resumes_to_the_same_curve(recipe: Path, tmp_path: Path) -> None:
    assert train.main([str(recipe), '--output', str(tmp_path / 'whole'), '--device', 'cpu']) == 0
    command = [sys.executable, '-m', 'fanet_ros.tools.train', str(recipe), '--output', str(tmp_path / 'killed'), '--device', 'cpu']
    process = subprocess.Popen(command, env=dict(os.environ), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / 'killed' / 'history.json').is_file():
        assert process.poll() is None and time.monotonic() < deadline, 'the training saved nothing'
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(losses(tmp_path / 'killed')) <= ITERATIONS
    assert train.main(command[3:]) == 0
    assert losses(tmp_path / 'killed') == pytest.approx(losses(tmp_path / 'whole'), rel=1e-3)
    checkpoint = load_checkpoint(tmp_path / 'killed' / CHECKPOINT_NAME)
    assert checkpoint.metadata.class_names == ('ground', 'rest') and 'validation/mean_iou' in checkpoint.metadata.figures
    assert (tmp_path / 'whole' / 'report' / 'index.md').is_file()


def test_one_line_for_what_cannot_be_trained(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / 'out')

    def refused(*arguments: str) -> str:
        assert train.main([*arguments, '--output', output, '--device', 'cpu']) == 1
        *progress, line = capsys.readouterr().err.strip().splitlines()
        assert all(text.startswith('train:  ') for text in progress)       # the bar
        return line
    assert 'No such file' in refused('no_such_recipe')
    assert 'did you mean iterations' in refused(str(recipe), '--set', 'training.iteration=1')
    assert 'no images in' in refused(str(recipe), '--set', f'data.0.path={tmp_path}/none')
    assert 'loss is nan' in refused(str(recipe), '--set', 'training.learning_rate=1.0e+30')
    assert train.main([str(recipe), '--output', output + '2', '--device', 'cpu', '--set', 'training.iterations=1']) == 0
    capsys.readouterr()
    output += '2'
    assert 'training.iterations was 1, is 6' in refused(str(recipe))


def test_two_trainings_do_not_share_a_folder(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fanet_ros.training.run_folder import RunFolder
    with RunFolder(tmp_path / 'out'):
        assert train.main([str(recipe), '--output', str(tmp_path / 'out'), '--device', 'cpu']) == 1
    assert 'used by another training' in capsys.readouterr().err


def test_evaluate_at_several_resolutions(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ['--output', str(tmp_path / 'out'), '--device', 'cpu', '--set', 'training.iterations=1']
    assert train.main([str(recipe), *arguments]) == 0
    masks = tmp_path / 'indices' / 'labels'
    masks.mkdir(parents=True)
    (tmp_path / 'indices' / 'images').symlink_to(tmp_path / 'data' / 'images')
    for path in (tmp_path / 'data' / 'labels').iterdir():
        cv2.imwrite(str(masks / path.name), (cv2.imread(str(path))[..., 2] == 200).astype(np.uint8))
    figures = tmp_path / 'figures.json'
    assert evaluate.main(['--data', str(tmp_path / 'indices'), '--checkpoint', str(tmp_path / 'out' / CHECKPOINT_NAME),
                          '--device', 'cpu', '--engine', 'torch', '--resolutions', '1', '1.5', '128x80', '--json', str(figures),
                          '--report', str(tmp_path / 'report')]) == 0
    sizes = [(item['input_width'], item['input_height']) for item in json.loads(figures.read_text())]
    assert sizes == [(96, 64), (144, 96), (128, 80)]
    assert '144x96' in capsys.readouterr().out and (tmp_path / 'report' / 'resolutions.png').is_file()
