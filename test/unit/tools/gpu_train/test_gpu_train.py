# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training on a borrowed GPU, rehearsed on the CPU: soft labels, pack, unpack, timed training."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.fingerprints import count_known
from fanet_ros.datasets.image_files import ORIENTATION_TAG
from fanet_ros.datasets.layouts import load_dataset
from fanet_ros.inference import ClassMap
from fanet_ros.model import CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.tools.gpu_train import run as gpu_train_run
from fanet_ros.tools.pack import command as pack
from fanet_ros.tools.pack.slim import image_copy
from fanet_ros.tools.soft_labels import command as soft_labels

# Modules that may be missing on a bare GPU machine.
FOREIGN = ('rclpy', 'rosbags', 'openvino', 'ncnn', 'pnnx', 'onnx', 'cv_bridge', 'sensor_msgs', 'launch')
NAMES = ('road', 'car')
SOURCES = Path(pack.__file__).parents[3]


def write_data(root: Path) -> None:
    """Write six small labelled images, a class map, a teacher and a recipe that uses its soft labels."""
    rng = np.random.default_rng(0)
    for kind in ('images', 'labels'):
        (root / 'data' / kind).mkdir(parents=True)
    for number in range(6):
        labels = cv2.resize(rng.integers(0, 2, (4, 6), np.uint8), (96, 64), interpolation=cv2.INTER_NEAREST)
        labels[0, :2] = 0, 1        # both classes in each
        cv2.imwrite(str(root / f'data/images/{number}.jpg'), np.repeat(labels[..., None] * 180 + 40, 3, 2))
        cv2.imwrite(str(root / f'data/labels/{number}.png'), labels)
    (root / 'map.yaml').write_text(
        'name: two\nclasses:\n- {name: road, color: [10, 20, 30]}\n- {name: car, color: [200, 0, 0]}\n')
    metadata = CheckpointMetadata('fanet18', 'paper', 'two', NAMES, ((10, 20, 30), (200, 0, 0)), (64, 96))
    torch.manual_seed(0)
    save_checkpoint(root / 'teacher.safetensors', metadata.build_network(), metadata)
    (root / 'recipe.yaml').write_text(yaml.safe_dump({
        'class_map': 'map.yaml', 'init': 'imagenet',
        'data': [{'path': 'data', 'hold_out': ['5'], 'soft_labels': 'soft/data.npz'}],
        'validation': [{'path': 'data', 'only': ['5']}],
        'augmentation': {'crop_height': 64, 'crop_width': 64, 'paste': 0.5, 'jpeg': 0.0},
        'training': {'batch_size': 4, 'save_every': 1000},
        'loader': {'on_device': 'always'}}))


@pytest.mark.slow
def test_to_the_gpu_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = tmp_path / 'here', tmp_path / 'there'
    here.mkdir()
    write_data(here)
    monkeypatch.chdir(here)
    assert soft_labels.main(['recipe.yaml', '--teacher', 'teacher.safetensors', '--device', 'cpu', '--scales', '1']) == 0
    with np.load('soft/data.npz') as stored:
        assert sorted(stored.files) == ['0', '1', '2', '3', '4', 'class_names']
        assert stored['3'].shape == (16, 24, 2) and np.abs(stored['3'].astype(int).sum(-1) - 255).max() <= 1
    assert soft_labels.main(['recipe.yaml', '--teacher', 'teacher.safetensors', '--device', 'cpu']) == 0
    assert 'soft/data.npz exists' in capsys.readouterr().out

    assert pack.main(['recipe.yaml', '--max-mb', '0.01']) == 0
    packs = sorted(Path('packs').glob('*.zip'))
    assert len(packs) > 1 and max(path.stat().st_size for path in packs) <= 10_000
    held = [name for path in packs for name in zipfile.ZipFile(path).namelist()]
    assert len(held) == len(set(held)) == 14 and {'soft/data.npz', 'map.yaml'} <= set(held)
    assert pack.main(['--unpack', *map(str, packs), '--into', str(there)]) == 0
    assert (there / 'data/images/2.jpg').read_bytes() == Path('data/images/2.jpg').read_bytes()

    assert pack.main(['recipe.yaml', '--quality', '60', '--output', 'slim']) == 0
    assert sum(path.stat().st_size for path in Path('slim').glob('*')) < sum(path.stat().st_size for path in packs)
    slim = tmp_path / 'slim'
    assert pack.main(['--unpack', *map(str, Path('slim').glob('*.zip')), '--into', str(slim)]) == 0
    assert (slim / 'data/labels/2.png').read_bytes() == Path('data/labels/2.png').read_bytes()
    one, other = (cv2.imread(str(root / 'data/images/2.jpg')) for root in (Path('.'), slim))
    assert one.shape == other.shape and 0 < np.abs(one.astype(int) - other).mean() < 8
    with np.load('soft/data.npz') as full, np.load(slim / 'soft/data.npz') as rounded:
        assert sorted(full.files) == sorted(rounded.files)
        assert np.abs(full['3'].astype(int) - rounded['3']).max() <= 8

    output = tmp_path / 'output'
    without = (f'import sys\nsys.modules.update(dict.fromkeys({FOREIGN}))\n'         # makes their import fail
               'from fanet_ros.tools.gpu_train.command import main\nsys.exit(main(sys.argv[1:]))\n')
    subprocess.run(
        [sys.executable, '-c', without, 'recipe.yaml', '--minutes', '0.05', '--data', str(slim), '--output', str(output),
         '--device', 'cpu'], check=True, cwd=here,
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': f'{SOURCES}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'})
    figures = json.loads((output / 'training.json').read_text())
    assert figures['iterations'] > 0 and figures['training_s'] >= 3 and figures['images_per_second'] > 0
    metadata = load_checkpoint(output / 'checkpoint.safetensors').metadata
    assert metadata.class_names == NAMES
    trained = load_dataset(DataConfig(path='data', hold_out=('5',)), ClassMap.load('map.yaml')).entries
    assert count_known(metadata.training_frames, trained) == len(trained) == 5      # by their original bytes


def test_fewer_volumes_replace_all_of_an_earlier_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    arguments = ['recipe.yaml', '--set', "data.0.soft_labels=''"]
    assert pack.main([*arguments, '--max-mb', '0.01']) == 0 and len(list(Path('packs').iterdir())) > 1
    assert pack.main(arguments) == 0 and [path.name for path in Path('packs').iterdir()] == ['recipe_1.zip']


def test_a_rotated_image_stays_rotated(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 64, 3), np.uint8))
    rotated = image.getexif()
    rotated[ORIENTATION_TAG] = 6
    image.save(tmp_path / 'upright.jpg', quality=98)
    image.save(tmp_path / 'rotated.jpg', quality=98, exif=rotated)
    for name in ('upright.jpg', 'rotated.jpg'):
        image_copy(tmp_path / name, tmp_path / 'slim' / name, 60)
    assert [path.name for path in (tmp_path / 'slim').iterdir()] == ['upright.jpg']


def test_a_16_bit_image_is_not_copied_in_8_bits(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'deep.png'), np.random.default_rng(0).integers(0, 4096, (96, 64), np.uint16))
    image_copy(tmp_path / 'deep.png', tmp_path / 'slim' / 'deep.png', 60)
    assert not (tmp_path / 'slim').exists()


def test_data_sets_with_equal_names_cannot_share_soft_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copytree('data', 'other')
    arguments = ['recipe.yaml', '--teacher', 'teacher.safetensors', '--device', 'cpu', '--scales', '1']
    both = '[{path: data, soft_labels: soft.npz}, {path: %s, soft_labels: soft.npz}]'
    assert soft_labels.main([*arguments, '--set', f'data={both % "other"}']) == 1 and not Path('soft.npz').exists()
    assert 'soft.npz is for data sets that both have an image 0: give each a file' in capsys.readouterr().err
    assert soft_labels.main([*arguments, '--set', f'data={both % "data"}']) == 0
    assert len(zipfile.ZipFile('soft.npz').namelist()) == 7


def test_a_large_checkpoint_is_split_into_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = CheckpointMetadata('fanet18', 'paper', 'two', NAMES, ((10, 20, 30), (200, 0, 0)), (64, 96))
    save_checkpoint(tmp_path / 'whole.safetensors', metadata.build_network(), metadata)
    monkeypatch.setattr(gpu_train_run, 'PART_BYTES', 6_000_000)
    gpu_train_run.compress(tmp_path / 'whole.safetensors', tmp_path / 'checkpoint.safetensors')
    parts = sorted(tmp_path.glob('checkpoint.safetensors.*'))
    assert len(parts) == 3 and not (tmp_path / 'checkpoint.safetensors').exists()
    (tmp_path / 'joined.safetensors').write_bytes(b''.join(part.read_bytes() for part in parts))
    assert load_checkpoint(tmp_path / 'joined.safetensors').metadata == metadata
    monkeypatch.undo()
    gpu_train_run.compress(tmp_path / 'whole.safetensors', tmp_path / 'checkpoint.safetensors')
    assert [path.name for path in tmp_path.glob('checkpoint.*')] == ['checkpoint.safetensors']


def test_errors_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    no_soft_labels = ['--set', "data.0.soft_labels=''"]
    assert pack.main(['recipe.yaml', *no_soft_labels, '--max-mb', '0.001']) == 1
    assert 'raise --max-mb' in capsys.readouterr().err
    assert pack.main(['recipe.yaml', *no_soft_labels, '--set', f'data.0.path={tmp_path / "data"}']) == 1
    assert 'expected a path below the current directory' in capsys.readouterr().err
    (tmp_path / 'no.zip').write_bytes(b'no')
    assert pack.main(['--unpack', 'no.zip', '--into', 'x']) == 1
    assert 'no.zip cannot be unpacked' in capsys.readouterr().err
    assert soft_labels.main(['recipe.yaml', *no_soft_labels, '--teacher', 'teacher.safetensors']) == 1
    assert 'no data set has the key soft_labels' in capsys.readouterr().err
