# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command `adapt`: from a drive to a checkpoint, also after interruptions; unusable drives."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from fanet_ros.datasets.annotations import write_annotations
from fanet_ros.inference import ClassMap
from fanet_ros.inference.engines.onnx_model import export_onnx
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint, change_metadata, load_checkpoint, save_checkpoint
from fanet_ros.sources import SyntheticStreet
from fanet_ros.tools.adapt.command import main
from fanet_ros.tools.adapt.drive_teacher import read_rename
from fanet_ros.tools.adapt.stages import SHARES


def draw_drive(folder: Path, count: int, brightness: float = 1.0) -> Path:
    """Write frames of one synthetic street."""
    folder.mkdir(parents=True)
    street = SyntheticStreet(128, 96, seed=5)
    for number in range(count):
        cv2.imwrite(str(folder / f'{number:03d}.png'), (street.frame(2 * number).rgb[..., ::-1] * brightness).astype(np.uint8))
    return folder


@pytest.fixture(name='drive', scope='module')
def drive_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_drive(tmp_path_factory.mktemp('drive') / 'dusk', 12, 0.6)


def command(source: Path, checkpoint: Path, output: Path, *more: Any) -> list[str]:
    return [str(source), '--checkpoint', str(checkpoint), '--output', str(output), '--device', 'cpu', '--quiet',
            *map(str, more)]


def test_statistics_only(drive: Path, street_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / 'mine.safetensors'
    assert main(command(drive, street_checkpoint, output, '--force')) == 0
    printed = capsys.readouterr().out
    assert '12 frames of dusk: 9 for adapting, 2 for judging' in printed
    assert f'ros2 param set /segmentation checkpoint {output}' in printed
    old, new = load_checkpoint(street_checkpoint), load_checkpoint(output)
    torch.testing.assert_close(old.network.resnet.conv1.weight, new.network.resnet.conv1.weight, rtol=1e-3, atol=1e-5)  # float16
    card = new.metadata
    share = next(item for item in SHARES if f'adapted: {item:g} of the BatchNorm statistics' in card.recipe)
    assert torch.equal(old.network.resnet.bn1.running_mean, new.network.resnet.bn1.running_mean) == (share == 0)
    assert card.data == f'{old.metadata.data}; adapted to 9 unlabelled frames of dusk'
    assert card.recipe.startswith('street (')
    assert (card.temperature, card.class_names, card.license) == (old.metadata.temperature, old.metadata.class_names,
                                                                  old.metadata.license)
    assert set(card.figures) == {f'drive/held_out/{name}_{moment}' for moment in ('before', 'after') for name in (
        'agreement_scale', 'agreement_flip', 'agreement_motion', 'all_views_agree', 'confidence')} | {
            'drive/held_out/confident_pixels_kept'}
    report = tmp_path / 'mine.adapt' / 'report'
    checks = json.loads((report / 'checks.json').read_text())
    assert checks['kept'] == pytest.approx(card.figures['drive/held_out/confident_pixels_kept'], abs=1e-4)
    assert '![before and after](before_after.jpg)' in (report / 'index.md').read_text()
    assert cv2.imread(str(report / 'before_after.jpg')).shape[1] == 4 * 360


def test_fine_tuning_on_corrected_masks_resumes(drive: Path, street_checkpoint: Path, tmp_path: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    class_map = ClassMap.of_checkpoint(load_checkpoint(street_checkpoint).metadata)
    rgb = cv2.imread(str(next(drive.iterdir())))[..., ::-1]
    trees = np.full(rgb.shape[:2], class_map.names.index('tree'), np.uint8)
    write_annotations(tmp_path / 'labels', [('a', rgb, np.zeros_like(trees)), ('b', rgb, trees)], class_map)
    cv2.imwrite(str(tmp_path / 'labels' / 'labels' / 'a.png'), trees)
    output, work = tmp_path / 'mine.safetensors', tmp_path / 'work'
    arguments = command(drive, street_checkpoint, output, '--labels', tmp_path / 'labels', '--iterations', 2, '--work', work,
                        '--force')
    assert main(arguments) == 0
    assert '1 frames with corrected masks; 1 masks are still as pick wrote them' in capsys.readouterr().out
    first = load_checkpoint(output)
    assert first.metadata.data.endswith('and 1 labelled ones') and 'fine-tuned on 1 labelled frames' in first.metadata.recipe
    trained = work / 'fine_tuning' / 'checkpoint.safetensors'
    written_ns = trained.stat().st_mtime_ns
    output.unlink()
    assert main(arguments) == 0
    assert trained.stat().st_mtime_ns == written_ns
    torch.testing.assert_close(load_checkpoint(output).network.state_dict(), first.network.state_dict())


@pytest.fixture(name='large', scope='module')
def large_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped default as somebody's ONNX file."""
    path = tmp_path_factory.mktemp('teacher') / 'large.onnx'
    export_onnx(load_checkpoint('fanet18_camvid').network, path, 192, 256)
    return path


def test_a_network_learns_the_labels_of_a_teacher(drive: Path, large: Path, street_checkpoint: Path, tmp_path: Path) -> None:
    """A network that knows no class learns them, and what it has learned is kept for later runs."""
    start = load_checkpoint(street_checkpoint)
    torch.nn.init.zeros_(start.network.clslayer.conv_out.weight)
    save_checkpoint(tmp_path / 'start.safetensors', start.network, start.metadata)
    output, work = tmp_path / 'mine.safetensors', tmp_path / 'work'
    arguments = command(drive, tmp_path / 'start.safetensors', output, '--teacher', large, '--teacher-classes', 'camvid11',
                        '--iterations', 16, '--work', work, '--force')
    assert main(arguments) == 0
    new = load_checkpoint(output)
    assert 'trained on labels of large, 16 iterations of 4 views' in new.metadata.recipe
    rgb = cv2.imread(str(sorted(drive.iterdir())[-1]))[..., ::-1].copy()
    wanted = labels_of(load_checkpoint(street_checkpoint), rgb)
    found = [float((labels_of(item, rgb) == wanted).mean()) for item in (start, new)]
    assert found[1] > 0.5 > found[0], found
    soft, trained = work / 'frames' / 'soft_labels.npz', work / 'teaching' / 'checkpoint.safetensors'
    assert len(np.load(soft).files) == 1 + 9 + 2
    assert not torch.equal(start.network.resnet.bn1.running_mean, load_checkpoint(trained).network.resnet.bn1.running_mean)
    written_ns = [path.stat().st_mtime_ns for path in (soft, trained)]
    for path in (output, work / 'taught.safetensors'):
        path.unlink()
    assert main(arguments) == 0
    assert [path.stat().st_mtime_ns for path in (soft, trained)] == written_ns
    torch.testing.assert_close(load_checkpoint(output).network.state_dict(), new.network.state_dict())


def test_a_teacher_that_does_not_fit_is_refused_before_it_teaches(drive: Path, large: Path, street_checkpoint: Path, tmp_path: Path,
                                                                  capsys: pytest.CaptureFixture[str]) -> None:
    """Its classes are mixed up."""
    names = load_checkpoint(street_checkpoint).metadata.class_names
    mixed_up = dict(zip(names, (*names[1:], names[0])))
    output, work = tmp_path / 'mine.safetensors', tmp_path / 'mine.adapt'
    arguments = command(drive, street_checkpoint, output, '--teacher', large, '--teacher-classes', 'camvid11', '--iterations', 1)
    assert main([*arguments, '--teacher-rename', str(mixed_up)]) == 3
    assert 'expected 70: does it know such places' in capsys.readouterr().out
    assert not output.exists() and not (work / 'norm.safetensors').exists()
    frames_ns = (work / 'frames' / 'frames.json').stat().st_mtime_ns
    assert main([*arguments, '--force']) == 0          # corrected: in the same folder, with the same frames
    assert (work / 'frames' / 'frames.json').stat().st_mtime_ns == frames_ns
    card = load_checkpoint(output).metadata
    assert card.data.endswith('adapted to 9 unlabelled frames of dusk, with labels of large')
    assert card.figures['drive/held_out/confirmed_by_teacher'] > 0.7 and 'drive/held_out/agreement_teacher_after' in card.figures
    assert '| agreement with the teacher |' in (work / 'report' / 'index.md').read_text()


def test_a_checkpoint_teaches_at_the_resolutions_that_it_knows(drive: Path, street_checkpoint: Path, tmp_path: Path) -> None:
    arguments = command(drive, street_checkpoint, tmp_path / 'mine.safetensors', '--teacher', 'fanet18_camvid', '--iterations', 1)
    assert main([*arguments, '--force']) == 0
    soft = np.load(tmp_path / 'mine.adapt' / 'frames' / 'soft_labels.npz')
    assert soft['0000'].shape == (24, 32, 11)


def labels_of(checkpoint: Checkpoint, rgb: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        images = Preprocessor(checkpoint.metadata.mean, checkpoint.metadata.std, torch.device('cpu'))(rgb, 96, 128)
        return checkpoint.network.eval()(images)[0].argmax(0).numpy()


def test_classes_of_a_teacher_need_a_place(drive: Path, large: Path, street_checkpoint: Path, tmp_path: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    def message(*arguments: Any) -> str:
        assert main(command(drive, street_checkpoint, tmp_path / 'mine.safetensors', *arguments)) == 1
        return capsys.readouterr().err.splitlines()[-1]
    assert 'give its class map with --teacher-classes' in message('--teacher', large)
    cityscapes = '--teacher', large, '--teacher-classes', 'cityscapes19'
    assert '--teacher-rename: sidewalk, wall, traffic light' in message(*cityscapes)
    assert "'cloud' is not a class of the teacher" in message(*cityscapes, '--teacher-rename', '{cloud: sky}')
    assert 'expected YAML such as' in message(*cityscapes, '--teacher-rename', '{sidewalk: 3}')
    assert 'expected YAML such as' in message(*cityscapes, '--teacher-rename', '{sidewalk')
    assert 'No such file' in message(*cityscapes, '--teacher-rename', 'nowhere.yaml')
    assert '--teacher is the checkpoint to adapt' in message('--teacher', street_checkpoint)
    with pytest.raises(SystemExit, match='2'):
        main(command(drive, street_checkpoint, tmp_path / 'mine.safetensors', '--teacher-classes', 'camvid11'))
    assert 'need --teacher' in capsys.readouterr().err
    assert not (tmp_path / 'mine.safetensors').exists()


def test_rename_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / 'rename.yaml').write_text("person: pedestrian\nterrain: ''\n")
    assert read_rename(str(tmp_path / 'rename.yaml')) == read_rename("{person: pedestrian, terrain: ''}") == {
        'person': 'pedestrian', 'terrain': ''}
    assert read_rename('') == {} and read_rename(' person: pedestrian') == {'person': 'pedestrian'}


def test_the_original_is_kept_if_a_check_fails(drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                               street_checkpoint: Path) -> None:
    """Adapted to noise, judged on a street."""
    noisy = tmp_path / 'noisy'
    noisy.mkdir()
    noise = np.random.default_rng(0)
    for number, path in enumerate(sorted(drive.iterdir())):
        frame = cv2.imread(str(path))
        cv2.imwrite(str(noisy / path.name), noise.integers(0, 256, frame.shape, np.uint8) if number < 9 else frame)
    output = tmp_path / 'mine.safetensors'
    assert main(command(noisy, street_checkpoint, output)) == 3
    printed = capsys.readouterr().out
    assert 'FAIL' in printed and f'the checks failed: keep using {street_checkpoint}; nothing was written' in printed
    assert not output.exists()


def test_unusable_drives_are_rejected(street_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def message(source: Path) -> str:
        assert main(command(source, street_checkpoint, tmp_path / 'mine.safetensors')) == 1
        line, = capsys.readouterr().err.splitlines()[-1:]
        assert line.startswith('adapt: ') and not (tmp_path / 'mine.safetensors').exists()
        return line
    assert 'has 1 usable frames: expected at least 8' in message(draw_drive(tmp_path / 'one', 1))
    assert 'has 0 usable frames, and 9 blank ones' in message(draw_drive(tmp_path / 'black', 9, 0.0))
    broken = tmp_path / 'broken'
    broken.mkdir()
    for number in range(9):
        (broken / f'{number}.jpg').write_bytes(b'no image')
    assert 'none of the 9 images' in message(broken)
    assert "source '/nowhere' does not exist" in message(Path('/nowhere'))
    (tmp_path / 'empty').mkdir()
    assert 'no images in' in message(tmp_path / 'empty')


def test_labels_next_to_the_images_are_ignored(street_checkpoint: Path, tmp_path: Path) -> None:
    """They may have other classes."""
    draw_drive(tmp_path / 'drive' / 'images', 8)
    (tmp_path / 'drive' / 'labels').mkdir()
    cv2.imwrite(str(tmp_path / 'drive' / 'labels' / '000.png'), np.full((96, 128), 200, np.uint8))
    assert main(command(tmp_path / 'drive', street_checkpoint, tmp_path / 'mine.safetensors', '--force')) == 0


def test_conflicting_arguments_are_rejected(drive: Path, street_checkpoint: Path, tmp_path: Path,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / 'mine.safetensors'
    assert main(command(drive, street_checkpoint, street_checkpoint)) == 1
    assert '--output is the checkpoint to adapt' in capsys.readouterr().err
    own = Path(shutil.copy(street_checkpoint, tmp_path / 'own.safetensors'))
    assert main(command(drive, own, output, '--force')) == 0
    assert main(command(drive, own, output, '--frames', 9)) == 1
    assert 'holds a run with another frames (300, now 9)' in capsys.readouterr().err
    change_metadata(own, own, license='trained on')
    assert main(command(drive, own, output)) == 1
    assert f"holds a run with another checkpoint ('{own}, CRC-32 " in capsys.readouterr().err
    with pytest.raises(SystemExit, match='2'):
        main(command(drive, street_checkpoint, tmp_path / 'mine.pth'))
    assert 'expected NAME.safetensors' in capsys.readouterr().err
