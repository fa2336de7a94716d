# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""segment_images on images and videos: masks, overlays, contact sheet, and reports of unreadable files."""
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from image_helpers import blotches
from PIL import Image

from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.model import CheckpointMetadata, save_checkpoint
from fanet_ros.tools.segment_images import command as segment_images

OPTIONS = ('--engine', 'torch', '--quiet')


@pytest.fixture(name='checkpoint', scope='module')
def checkpoint_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metadata = CheckpointMetadata('fanet18', 'paper', 'two', ('sky', 'road'), ((1, 2, 3), (200, 100, 50)), (64, 96))
    path = tmp_path_factory.mktemp('weights') / 'two.safetensors'
    save_checkpoint(path, metadata.build_network(), metadata)
    return path


def test_images_of_any_size_give_masks_overlays_and_a_contact_sheet(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / 'in', tmp_path / 'out'
    folder.mkdir()
    images = {'wide': blotches(0, 60, 160), 'tall': blotches(1, 150, 90), 'third': blotches(2)}
    for name, rgb in images.items():
        cv2.imwrite(str(folder / f'{name}.png'), rgb[..., ::-1])
    (folder / 'broken.jpg').write_bytes(b'no picture')
    assert segment_images.main([str(folder), '--output', str(out), '--checkpoint', str(checkpoint), *OPTIONS]) == 0
    printed = capsys.readouterr()
    assert printed.out == f'{out}: 3 segmented, 1 could not be read\n' and 'broken is not a readable image' in printed.err
    segmenter = Segmenter.from_checkpoint(checkpoint, engine='torch')
    for name, rgb in images.items():
        with Image.open(out / 'masks' / f'{name}.png') as mask:
            assert mask.mode == 'P' and mask.getpalette()[3:6] == [200, 100, 50]
            labels = np.asarray(mask)
        assert np.array_equal(labels, segmenter.segment(rgb).labels)
        assert cv2.imread(str(out / 'overlay' / f'{name}.jpg')).shape == rgb.shape
    assert cv2.imread(str(out / 'contact_sheet.jpg')).shape[0] > 3 * 100
    assert ClassMap.load(out / 'class_map.yaml') == segmenter.class_map


def test_images_that_differ_only_in_their_suffix_get_masks_of_their_own(checkpoint: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / 'in', tmp_path / 'out'
    folder.mkdir()
    for name in ('a.png', 'a.jpg', 'a.jpg.png', 'b.png'):
        cv2.imwrite(str(folder / name), blotches(0))
    assert segment_images.main([str(folder), '--output', str(out), '--checkpoint', str(checkpoint), *OPTIONS]) == 0
    assert {path.name for path in (out / 'masks').iterdir()} == {'a.png.png', 'a.jpg.png', 'a.jpg.png.png', 'b.png'}
    assert {path.name for path in (out / 'overlay').iterdir()} == {'a.png.jpg', 'a.jpg.jpg', 'a.jpg.png.jpg', 'b.jpg'}


def test_numbered_images_are_segmented_in_the_order_of_their_numbers(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A video network, and whoever looks at the contact sheet, takes them for a sequence."""
    for number in (8, 9, 10, 11):
        (tmp_path / f'f{number}.png').write_bytes(b'no picture')
    assert segment_images.main([str(tmp_path), '--output', str(tmp_path / 'out'), '--checkpoint', str(checkpoint), *OPTIONS]) == 1
    skipped = [line.split()[0] for line in capsys.readouterr().err.splitlines() if 'is not a readable image' in line]
    assert skipped == ['f8', 'f9', 'f10', 'f11']


@pytest.mark.parametrize('given', ['overlay', 'overlay/a.jpg', 'masks', 'overlay.mp4', 'contact_sheet.jpg'])
def test_results_do_not_replace_what_they_are_made_from(tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str) -> None:
    (tmp_path / 'overlay').mkdir()
    cv2.imwrite(str(tmp_path / 'overlay' / 'a.jpg'), blotches(0))
    assert segment_images.main([str(tmp_path / given), '--output', str(tmp_path), *OPTIONS]) == 1
    assert 'which would replace it: choose another --output' in capsys.readouterr().err


def test_in_the_folder_of_the_images_a_second_run_finds_the_same_images(checkpoint: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), blotches(0))
    for _ in range(2):
        assert segment_images.main([str(tmp_path), '--output', str(tmp_path), '--checkpoint', str(checkpoint), *OPTIONS]) == 0
        assert [path.name for path in (tmp_path / 'masks').iterdir()] == ['a.png']


@pytest.mark.parametrize('name', ['overlay/a.jpg', 'contact_sheet.jpg'])
def test_a_result_that_cannot_be_written_is_reported(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), blotches(0))
    (tmp_path / 'out' / name).mkdir(parents=True)
    arguments = [str(tmp_path / 'a.png'), '--output', str(tmp_path / 'out'), '--checkpoint', str(checkpoint), *OPTIONS]
    assert segment_images.main(arguments) == 1
    assert name in capsys.readouterr().err


def test_a_video_gives_a_video_and_masks_if_requested(checkpoint: Path, tmp_path: Path) -> None:
    path, out = tmp_path / 'drive.avi', tmp_path / 'out'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 5.0, (96, 64))
    for seed in range(3):
        writer.write(blotches(seed, 64, 96))
    writer.release()
    arguments = [str(path), '--output', str(out), '--checkpoint', str(checkpoint), *OPTIONS]
    assert segment_images.main(arguments) == 0
    assert not (out / 'masks').exists() and not (out / 'overlay').exists()
    capture = cv2.VideoCapture(str(out / 'overlay.mp4'))
    assert sum(1 for _ in iter(lambda: capture.read()[0], False)) == 3
    assert segment_images.main([*arguments, '--masks']) == 0
    assert sorted(path.name for path in (out / 'masks').iterdir()) == [f'{number:06d}.png' for number in range(3)]


@pytest.mark.parametrize(('name', 'reason'), [('absent', 'not found'), ('empty', 'has nothing readable'),
                                              ('text.txt', 'not a readable video')])
def test_unreadable_inputs_are_rejected(
        checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str) -> None:
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'text.txt').write_text('no image')
    out = tmp_path / 'out'
    assert segment_images.main([str(tmp_path / name), '--output', str(out), '--checkpoint', str(checkpoint), *OPTIONS]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith('segment_images: ') and reason in line
