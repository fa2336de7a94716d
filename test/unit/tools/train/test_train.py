# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The train and evaluate commands on a small data set: killed, resumed, and with two processes."""
from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import cv2
import numpy as np
import pytest
import torch
import yaml

from fanet_ros.model import load_checkpoint
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools import evaluate
from fanet_ros.tools.train import command as train
from fanet_ros.training.run_folder import BEST_NAME, CHECKPOINT_NAME, RunFolder

ITERATIONS = 6
# Several trainings run at once on few cores: more threads would only wait for each other. Besides, the number of threads
# affects rounding, which BatchNorm over so few values amplifies, and the tests compare loss curves.
ONE_THREAD = {**os.environ, 'OMP_NUM_THREADS': '1'}


@pytest.fixture(name='recipe')
def recipe_fixture(tmp_path: Path) -> Path:
    return make_recipe(tmp_path)


def make_recipe(tmp_path: Path) -> Path:
    """A folder of four street images with colour-coded masks of two classes, and a recipe for it."""
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


def command(recipe: Path, output: Path, *more: str) -> list[str]:
    return [sys.executable, '-m', 'fanet_ros', 'train', str(recipe), '--output', str(output), '--device', 'cpu', *more]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, 'the training failed'


@pytest.fixture(name='whole', scope='module')
def whole_fixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recipe and the output folder of an uninterrupted training with it."""
    folder = tmp_path_factory.mktemp('whole')
    recipe = make_recipe(folder)
    subprocess.run(command(recipe, folder / 'out'), env=ONE_THREAD, check=True)
    return recipe, folder / 'out'


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT], ids=lambda number: number.name)
def test_an_interrupted_training_resumes_to_the_same_curve(
        whole: tuple[Path, Path], tmp_path: Path, number: signal.Signals) -> None:
    recipe, unbroken = whole
    output = tmp_path / 'out'
    process = subprocess.Popen(command(recipe, output), stderr=subprocess.PIPE, text=True, env=ONE_THREAD)
    wait_for(lambda: (output / 'history.json').is_file() and len(losses(output)) >= 2, process)
    process.send_signal(number)
    last_line = process.communicate()[1].strip().splitlines()[-1]
    assert 2 <= len(losses(output)) < ITERATIONS
    assert not (output / 'report').exists()
    if number == signal.SIGINT:
        assert process.returncode == 130 and last_line == f'stopped; run the same command again to resume from {output}'
    resumed = subprocess.run(command(recipe, output), env=ONE_THREAD, check=True, stdout=subprocess.PIPE, text=True)
    assert losses(output) == pytest.approx(losses(unbroken), rel=1e-3)
    history = [json.loads((folder / 'history.json').read_text())['validation'] for folder in (output, unbroken)]
    assert [iteration for iteration, _ in history[0]] == [3, 6]
    assert history[0] == [[iteration, pytest.approx(miou, abs=0.02)] for iteration, miou in history[1]]
    assert 'begin at random' not in resumed.stdout


def test_output_files(whole: tuple[Path, Path]) -> None:
    output = whole[1]
    metadata = load_checkpoint(output / CHECKPOINT_NAME).metadata
    assert metadata.class_names == ('ground', 'rest')
    assert {'validation/mean_iou', 'validation/boundary_f_score', 'validation/iou/ground'} <= set(metadata.figures)
    best = load_checkpoint(output / BEST_NAME).metadata.figures['validation/mean_iou']
    assert best == max(miou for _, miou in json.loads((output / 'history.json').read_text())['validation'])
    index = (output / 'report' / 'index.md').read_text()
    for part in ('history.png', 'class_iou.png', 'confusion.png', 'worst.jpg', 'variant: fanet18'):
        assert part in index
    assert (output / CHECKPOINT_NAME).stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_curves_for_tensorboard(whole: tuple[Path, Path]) -> None:
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    events = accumulator.EventAccumulator(str(whole[1] / 'tensorboard'))
    events.Reload()
    assert [event.step for event in events.Scalars('loss')] == list(range(1, ITERATIONS + 1))
    assert [event.value for event in events.Scalars('loss')] == pytest.approx(losses(whole[1]), rel=1e-3)
    assert [event.step for event in events.Scalars('mean_iou')] == [3, 6]


@pytest.mark.slow
def test_two_processes_train_as_one(whole: tuple[Path, Path], tmp_path: Path) -> None:
    """BatchNorm statistics are per process on the CPU, so only the first loss is predictable."""
    recipe, unbroken = whole
    both = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2',
            '--log-dir', str(tmp_path / 'log'), *command(recipe, tmp_path)[1:]]
    # The deepest features of a crop are one pixel: with one crop per process, BatchNorm would have nothing to normalise over.
    sizes = ['--set', 'training.batch_size=4', '--set', 'training.iterations=3']
    subprocess.run([*both, *sizes], check=True, capture_output=True, timeout=200, env=ONE_THREAD)
    assert len(losses(tmp_path)) == 3 and losses(tmp_path)[0] == pytest.approx(losses(unbroken)[0], rel=0.5)
    assert (tmp_path / CHECKPOINT_NAME).is_file() and (tmp_path / 'report' / 'index.md').is_file()


def test_a_full_disk_leaves_the_last_state(whole: tuple[Path, Path], tmp_path: Path) -> None:
    """The file size limit of 1 MB is smaller than the state, so it cannot be written."""
    recipe, _ = whole
    state = tmp_path / 'state.pt'
    state.write_bytes(b'of old')
    limited = 'import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)); '
    code = limited + 'from fanet_ros.tools.train import command; sys.exit(command.main(sys.argv[1:]))'
    done = subprocess.run([sys.executable, '-c', code, *command(recipe, tmp_path, '--resume', 'never')[4:]], capture_output=True,
                          text=True, timeout=200, env=ONE_THREAD)
    line = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1 and line.startswith(f'train: cannot write {state}') and 'free some disk space' in line
    assert state.read_bytes() == b'of old' and not list(tmp_path.glob('.partial*'))


def test_a_non_finite_loss_does_not_spoil_the_state(whole: tuple[Path, Path], tmp_path: Path,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    recipe, _ = whole
    run = command(recipe, tmp_path)[4:]
    assert train.main([*run, '--set', 'training.learning_rate=1.0e+30', '--set', 'training.save_every=1']) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert 'is nan' in line or 'is inf' in line
    assert 'nothing was saved' in line or '--resume changed' in line
    state = torch.load(tmp_path / 'state.pt', weights_only=True) if (tmp_path / 'state.pt').is_file() else {'network': {}}
    assert all(torch.isfinite(value).all() for value in state['network'].values())


def test_errors_are_one_line(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = str(tmp_path / 'out')

    def refused(*arguments: str) -> str:
        assert train.main([*arguments, '--output', output, '--device', 'cpu']) == 1
        *progress, line = capsys.readouterr().err.strip().splitlines()
        assert all(text.startswith('train:  ') for text in progress)       # the bar
        return line
    assert "there is no recipe 'no_such_recipe'" in refused('no_such_recipe')
    assert 'did you mean iterations' in refused(str(recipe), '--set', 'training.iteration=1')
    assert 'no images in' in refused(str(recipe), '--set', f'data.0.path={tmp_path}/none')
    assert 'expected at least 64 px' in refused(str(recipe), '--set', 'augmentation.crop_width=32')
    assert 'expected one of fanet18' in refused(str(recipe), '--set', 'variant=fanet19')
    # Before the data, which may take minutes to read.
    assert "'none' not found" in refused(str(recipe), '--set', 'init=none', '--set', f'data.0.path={tmp_path}/none')
    with open(tmp_path / 'map.yaml', 'a') as class_map:
        class_map.write('- {name: unicorn, color: [1, 2, 3]}\n')
    assert 'no training label contains unicorn: take them out' in refused(str(recipe))
    (tmp_path / 'data' / 'labels' / '2.png').unlink()
    assert 'labels/2.png is missing: 4 images, 3 masks' in refused(str(recipe))


def test_unreadable_validation_data_are_reported_before_training(recipe: Path, tmp_path: Path,
                                                                 capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(recipe), '--output', str(tmp_path / 'out'), '--device', 'cpu', '--set', 'validation.0.labels=indices']
    assert train.main(arguments) == 1 and not (tmp_path / 'out' / 'state.pt').exists()
    assert 'for colour masks, set labels: colors' in capsys.readouterr().err


def test_frames_behind_the_initial_weights_count_as_trained_on(whole: tuple[Path, Path], recipe: Path, tmp_path: Path,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / 'data/images').iterdir():       # other images than those of `whole`
        cv2.imwrite(str(path), 255 - cv2.imread(str(path)))
    first = whole[1] / CHECKPOINT_NAME
    assert train.main([*command(recipe, tmp_path / 'run')[4:], '--set', f'init={first}', '--set', 'training.iterations=1']) == 0
    numbers = {name: load_checkpoint(name).metadata.training_frames for name in (first, tmp_path / 'run' / CHECKPOINT_NAME)}
    decoded = [set(np.frombuffer(base64.b64decode(text), '<u4').tolist()) for text in numbers.values()]
    assert len(decoded[0]) == 4 and len(decoded[1]) == 8 and decoded[0] < decoded[1]
    capsys.readouterr()


def test_nothing_is_held_out_of_ambiguous_labels(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ('validation=[]', 'hold_out=0.25', 'data.0.unpenalized=[rest]', 'allow_empty_classes=true', 'training.iterations=1')
    arguments = [str(recipe), '--output', str(tmp_path / 'out'), '--device', 'cpu']
    assert train.main([*arguments, *(word for text in settings for word in ('--set', text))]) == 0
    assert '4 frames to train on; 0 held out for validation' in capsys.readouterr().out


def test_another_recipe_is_not_resumed_unless_requested(whole: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    recipe, output = whole
    arguments = [*command(recipe, output)[4:], '--set', 'training.learning_rate=1e-4']
    assert train.main(arguments) == 1
    assert 'training.learning_rate was 0.001, is 0.0001' in capsys.readouterr().err
    assert train.main([*arguments, '--resume', 'changed', '--set', 'training.optimizer=sgd']) == 1
    assert 'a run whose training.optimizer is adamw, now it is sgd: its state does not fit' in capsys.readouterr().err
    assert train.main([*arguments, '--resume', 'changed']) == 0      # training is already complete
    assert len(losses(output)) == ITERATIONS


def test_a_run_with_other_classes_is_not_resumed(whole: tuple[Path, Path], tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    """The class map has the same name, but one class more."""
    recipe, output = whole
    class_map = recipe.parent / 'map.yaml'
    before = class_map.read_text()
    class_map.write_text(before + '- {name: unicorn, color: [1, 2, 3]}\n')
    try:
        assert train.main([*command(recipe, output)[4:], '--set', 'allow_empty_classes=true', '--resume', 'changed']) == 1
    finally:
        class_map.write_text(before)
    assert 'a run whose number of classes is 2, now it is 3: its state does not fit' in capsys.readouterr().err


def test_two_trainings_cannot_share_a_folder(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with RunFolder(tmp_path / 'out'):
        assert train.main([str(recipe), '--output', str(tmp_path / 'out'), '--device', 'cpu']) == 1
    assert 'used by another training' in capsys.readouterr().err


def test_evaluate_at_several_resolutions(whole: tuple[Path, Path], recipe: Path, tmp_path: Path,
                                         capsys: pytest.CaptureFixture[str]) -> None:
    masks = tmp_path / 'indices' / 'labels'
    masks.mkdir(parents=True)
    (tmp_path / 'indices' / 'images').symlink_to(tmp_path / 'data' / 'images')
    for path in (tmp_path / 'data' / 'labels').iterdir():
        cv2.imwrite(str(masks / path.name), (cv2.imread(str(path))[..., 2] == 200).astype(np.uint8))
    figures = tmp_path / 'figures.json'
    assert evaluate.main(['--data', str(tmp_path / 'indices'), '--checkpoint', str(whole[1] / CHECKPOINT_NAME),
                          '--device', 'cpu', '--engine', 'torch', '--resolutions', '1', '1.5', '128x80', '--json', str(figures),
                          '--report', str(tmp_path / 'report')]) == 0
    sizes = [(item['input_width'], item['input_height']) for item in json.loads(figures.read_text())]
    assert sizes == [(96, 64), (128, 96), (128, 80)]
    assert evaluate.main(['--data', str(recipe.parent / 'data'), '--checkpoint', str(whole[1] / CHECKPOINT_NAME), '--device', 'cpu',
                          '--engine', 'torch', '--set', 'labels=colors', '--json', str(tmp_path / 'colors.json')]) == 0
    assert json.loads((tmp_path / 'colors.json').read_text())[0] == json.loads(figures.read_text())[0]
    assert '128x96' in capsys.readouterr().out and (tmp_path / 'report' / 'resolutions.png').is_file()
