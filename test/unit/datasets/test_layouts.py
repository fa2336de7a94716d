# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small data sets on disk in every layout."""
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fanet_ros.datasets import UNLABELLED, DatasetError
from fanet_ros.datasets.class_sets import ClassSets
from fanet_ros.datasets.config import DataConfig
from fanet_ros.datasets.layouts import find_class_map, load_dataset
from fanet_ros.datasets.official_sets import label_table
from fanet_ros.datasets.soft_labels import write_soft_labels
from fanet_ros.inference import ClassMap

PAIR = ClassMap('pair', ('road', 'rest'), ((1, 2, 3), (200, 0, 0)))


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def folder(root: Path, labels: np.ndarray, names: 'tuple[str, ...]' = ('a', 'b')) -> DataConfig:
    for name in names:
        write(root / f'images/{name}.png', np.zeros((*labels.shape[:2], 3), np.uint8))
        write(root / f'labels/{name}.png', labels)
    return DataConfig(path=str(root))


def test_indices_colors_and_names(tmp_path: Path) -> None:
    indices = np.array([[0, 1, 255]], np.uint8)
    assert np.array_equal(load_dataset(folder(tmp_path / 'i', indices), PAIR)[0].labels, indices)
    colors = np.array([[[3, 2, 1], [0, 0, 200], [0, 0, 0]]], np.uint8)          # BGR
    config = folder(tmp_path / 'c', colors, ('x1', 'x2', 'y1'))
    config = DataConfig(path=config.path, labels='colors', only=('x',), hold_out=('x2',))
    sample, = load_dataset(config, PAIR)
    assert sample.name == 'x1' and np.array_equal(sample.labels, indices)


def test_classes_are_joined_by_name_and_by_rename(tmp_path: Path) -> None:
    (tmp_path / 'own.yaml').write_text(
        'name: own\nclasses:\n- {name: dirt, color: [9, 9, 9]}\n- {name: road, color: [8, 8, 8]}\n'
        '- {name: mud, color: [7, 7, 7]}\n')
    base = folder(tmp_path, np.array([[0, 1, 2, 255]], np.uint8))
    config = DataConfig(path=base.path, class_map=str(tmp_path / 'own.yaml'), rename={'dirt': 'rest'})
    assert load_dataset(config, PAIR)[0].labels.tolist() == [[1, 0, UNLABELLED, UNLABELLED]]
    for rename, reason in (({'clay': 'rest'}, "'clay' is not a class of own"), ({'dirt': 'soil'}, "'soil' is not a class of pair")):
        with pytest.raises(DatasetError, match=reason):
            load_dataset(DataConfig(path=base.path, class_map=config.class_map, rename=rename), PAIR)


def test_ambiguous_labels(tmp_path: Path) -> None:
    wanted = ClassMap('more', ('road', 'wall', 'house', 'person'), ((1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)))
    (tmp_path / 'own.yaml').write_text(
        'name: own\nclasses:\n- {name: road, color: [9, 9, 9]}\n- {name: building, color: [8, 8, 8]}\n')
    base = folder(tmp_path, np.array([[0, 1, 255]], np.uint8))
    own = str(tmp_path / 'own.yaml')
    sets = ClassSets(len(wanted))
    either = DataConfig(path=base.path, class_map=own, rename={'building': 'house|wall'})
    assert load_dataset(either, wanted, sets=sets)[0].labels.tolist() == [[0, 4, UNLABELLED]]
    unpenalized = DataConfig(path=base.path, class_map=own, rename={'building': 'house'}, unpenalized=('person',))
    assert load_dataset(unpenalized, wanted, sets=sets)[0].labels.tolist() == [[5, 6, UNLABELLED]]
    assert sets.members()[4:].tolist() == [[False, True, True, False], [True, False, False, True], [False, False, True, True]]
    assert sets.first().tolist() == [0, 1, 2, 3, 2, 0, 2]
    with pytest.raises(DatasetError, match='cannot be used for evaluation'):
        load_dataset(either, wanted)
    with pytest.raises(DatasetError, match="unpenalized: 'people' is not a class of more"):
        load_dataset(DataConfig(path=base.path, class_map=own, unpenalized=('people',)), wanted, sets=sets)


def test_a_class_without_labels_counts_only_where_the_teacher_finds_it_most_probable(tmp_path: Path) -> None:
    wanted = ClassMap('more', ('road', 'house', 'person'), ((1, 1, 1), (2, 2, 2), (3, 3, 3)))
    (tmp_path / 'own.yaml').write_text('name: own\nclasses:\n- {name: road, color: [9, 9, 9]}\n- {name: house, color: [8, 8, 8]}\n')
    base = folder(tmp_path, np.array([[0, 1, 1], [0, 0, 255]], np.uint8))
    soft = np.array([[[55, 0, 200], [0, 155, 100], [0, 255, 0]]], np.uint8)     # of a both rows
    write_soft_labels(tmp_path / 'soft.npz', wanted.names, [('a', soft)])
    sets = ClassSets(len(wanted))
    config = DataConfig(path=base.path, class_map=str(tmp_path / 'own.yaml'), unpenalized=('person',),
                        soft_labels=str(tmp_path / 'soft.npz'))
    sample = load_dataset(config, wanted, sets=sets)[0]
    road_or_person = sets.label([0, 2])
    assert sample.labels.tolist() == [[road_or_person, 1, 1], [road_or_person, 0, UNLABELLED]]
    assert sample.soft is not None and sample.soft.tolist() == [[[55, 0, 200], [0, 155, 0], [0, 255, 0]]]


def test_class_sets_are_limited_to_8_bit_labels() -> None:
    sets = ClassSets(253)
    assert sets.label([4]) == 4 and sets.label([1, 2]) == 253 and sets.label([2, 1, 2]) == 254 and sets.label([1, 2]) == 253
    with pytest.raises(DatasetError, match='more than 8-bit labels can hold'):
        sets.label([3, 4])


def test_cityscapes(tmp_path: Path) -> None:
    write(tmp_path / 'leftImg8bit/val/ulm/ulm_1_leftImg8bit.png', np.zeros((1, 4, 3), np.uint8))
    write(tmp_path / 'gtFine/val/ulm/ulm_1_gtFine_labelIds.png', np.array([[7, 33, 0, 26]], np.uint8))
    config = DataConfig(layout='cityscapes', path=str(tmp_path), split='val')
    sample, = load_dataset(config, find_class_map('cityscapes19'))
    assert sample.labels.tolist() == [[0, 18, UNLABELLED, 13]]
    with pytest.raises(DatasetError, match='no images in'):
        load_dataset(DataConfig(layout='cityscapes', path=str(tmp_path), split='train'), PAIR)


def test_coco_stuff(tmp_path: Path) -> None:
    write(tmp_path / 'images/val2017/000000000009.jpg', np.zeros((1, 5, 3), np.uint8))
    # person, stop sign (after the id of street sign, which is not used), wood, unlabelled, street sign
    write(tmp_path / 'annotations/val2017/000000000009.png', np.array([[0, 12, 181, 255, 11]], np.uint8))
    classes = find_class_map('coco_stuff171')
    sample, = load_dataset(DataConfig(layout='coco_stuff', path=str(tmp_path), split='val'), classes)
    assert [classes.names[label] for label in sample.labels[0, :3]] == ['person', 'stop sign', 'wood']
    assert sample.labels[0, 3:].tolist() == [UNLABELLED, UNLABELLED]
    assert len(classes) == len(set(classes.colors)) == label_table()[:182][label_table()[:182] != UNLABELLED].size == 171
    renamed = DataConfig(layout='coco_stuff', path=str(tmp_path), split='val', rename={'person': 'rest'})
    assert load_dataset(renamed, PAIR)[0].labels[0].tolist() == [1, 255, 255, 255, 255]


def test_other_folder_names_and_palette_images(tmp_path: Path) -> None:
    write(tmp_path / 'rgb/a.png', np.zeros((1, 3, 3), np.uint8))
    (tmp_path / 'truth').mkdir()
    image = Image.fromarray(np.array([[0, 1, 255]], np.uint8), mode='P')
    image.putpalette(sum(((index, 0, 255 - index) for index in range(256)), ()))
    image.save(tmp_path / 'truth/a_mask.png')
    config = DataConfig(path=str(tmp_path), images='rgb', masks='truth', mask_suffix='_mask')
    assert load_dataset(config, PAIR)[0].labels.tolist() == [[0, 1, UNLABELLED]]
    with pytest.raises(DatasetError, match='truth/a.png is missing: 1 images, 1 masks|a_mask.png has no image'):
        load_dataset(DataConfig(path=str(tmp_path), images='rgb', masks='truth'), PAIR)


@pytest.mark.parametrize('suffix', ['png', 'tif'])
@pytest.mark.parametrize('only', [(), ('dim',)])
def test_12_bit_images_use_all_8_bits_and_dim_ones_stay_dim(tmp_path: Path, only: 'tuple[str, ...]', suffix: str) -> None:
    config = folder(tmp_path, np.array([[0, 1]], np.uint8), ('bright', 'dim'))
    for name, value in (('bright', 4000), ('dim', 800)):
        (tmp_path / f'images/{name}.png').unlink()
        write(tmp_path / f'images/{name}.{suffix}', np.full((1, 2), value, np.uint16))
    samples = load_dataset(DataConfig(path=config.path, only=only), PAIR)
    assert {sample.name: int(sample.rgb.max()) for sample in samples}['dim'] == 800 >> 4
    assert len(samples) == 1 or samples[0].rgb.max() == 4000 >> 4


def test_street() -> None:
    config = DataConfig(layout='street', seeds=(3, 5), frames=(1, 20), size=(64, 80))
    samples = load_dataset(config, find_class_map('camvid11'))
    assert [sample.name for sample in samples] == ['street3_1', 'street3_20', 'street4_1', 'street4_20']
    assert samples[0].labels.shape == (64, 80)


@pytest.mark.parametrize(('labels', 'kind', 'reason'), [
    (np.array([[7]], np.uint8), 'indices', 'contains class 7: expected 0..1 or 255'),
    (np.zeros((1, 1, 3), np.uint8), 'indices', 'set labels: colors'),
    (np.array([[[9, 9, 9]]], np.uint8), 'colors', r'the colour \[9, 9, 9\]'),
    (np.array([[0]], np.uint8), 'colors', 'set labels: indices')])
def test_errors_about_labels_name_the_file(tmp_path: Path, labels: np.ndarray, kind: str, reason: str) -> None:
    config = DataConfig(path=folder(tmp_path, labels).path, labels=kind)
    with pytest.raises(DatasetError, match=reason) as caught:
        load_dataset(config, PAIR)[0]
    assert 'a.png' in str(caught.value)


def test_two_images_of_one_name_are_rejected(tmp_path: Path) -> None:
    config = folder(tmp_path, np.zeros((2, 2), np.uint8))
    write(tmp_path / 'images/a.jpg', np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(DatasetError, match=r'images/a\.jpg and a\.png would have the same labels, a\.png: remove one'):
        load_dataset(config, PAIR)


def test_unequal_counts_and_sizes(tmp_path: Path) -> None:
    config = folder(tmp_path, np.zeros((2, 2), np.uint8))
    write(tmp_path / 'labels/c.png', np.zeros((2, 2), np.uint8))
    with pytest.raises(DatasetError, match='c.png has no image'):
        load_dataset(config, PAIR)
    (tmp_path / 'labels/c.png').unlink()
    write(tmp_path / 'labels/b.png', np.zeros((3, 2), np.uint8))
    samples = load_dataset(config, PAIR)
    with pytest.raises(DatasetError, match='2x3, its image 2x2'):
        samples[samples.names.index('b')]
    with pytest.raises(DatasetError, match='leave no image'):
        load_dataset(DataConfig(path=config.path, only=('z',)), PAIR)


def rotated(root: Path, orientation: int, mask_shape: 'tuple[int, int]', kind: str = 'jpg') -> DataConfig:
    """An image stored as 8x16, left half black and right half white, with this EXIF orientation."""
    pixels = np.zeros((8, 16, 3), np.uint8)
    pixels[:, 8:] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    (root / 'images').mkdir(parents=True)
    Image.fromarray(pixels).save(root / f'images/a.{kind}', exif=exif, **({'quality': 100} if kind in {'jpg', 'webp'} else {}))
    write(root / 'labels/a.png', np.zeros(mask_shape, np.uint8))
    return DataConfig(path=str(root))


@pytest.mark.parametrize('kind', ['jpg', 'png', 'webp'])
def test_a_rotated_image_is_read_in_the_orientation_of_its_mask(tmp_path: Path, kind: str) -> None:
    def halves(config: DataConfig) -> 'tuple[np.ndarray, np.ndarray]':
        rgb = load_dataset(config, PAIR)[0].rgb
        return (rgb[:, :8], rgb[:, 8:]) if rgb.shape == (8, 16, 3) else (rgb[:8], rgb[8:])
    for orientation, shape in ((1, (8, 16)), (6, (8, 16)), (6, (16, 8))):      # 6: its left becomes its top
        dark, bright = halves(rotated(tmp_path / f'{orientation}_{shape[0]}', orientation, shape, kind))
        assert dark.max() < 60 and bright.min() > 200
    bright, dark = halves(rotated(tmp_path / '8', 8, (16, 8), kind))              # 8: its left becomes its bottom
    assert dark.max() < 60 and bright.min() > 200


@pytest.mark.parametrize('orientation', [2, 3, 4])
def test_an_image_of_ambiguous_orientation_is_rejected(tmp_path: Path, orientation: int) -> None:
    samples = load_dataset(rotated(tmp_path, orientation, (8, 16)), PAIR)
    with pytest.raises(DatasetError, match=f'a.jpg is rotated by its EXIF orientation {orientation}, and it is unclear whether'):
        samples[0]
    with pytest.raises(DatasetError, match='a.png is 5x4, its image 16x8'):
        load_dataset(rotated(tmp_path / 'other', orientation, (4, 5)), PAIR)[0]


def test_two_classes_written_as_0_and_255_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match='the masks in .*labels contain only 0 and 255.*write the second class as 1'):
        load_dataset(folder(tmp_path / 'a', np.array([[0, 255]], np.uint8)), PAIR)
    assert len(load_dataset(folder(tmp_path / 'b', np.array([[0, 255, 1]], np.uint8)), PAIR)) == 2
    assert len(load_dataset(folder(tmp_path / 'c', np.array([[0, 0]], np.uint8)), PAIR)) == 2
    three = ClassMap('three', ('a', 'b', 'c'), ((1, 2, 3), (2, 3, 4), (3, 4, 5)))
    assert len(load_dataset(folder(tmp_path / 'd', np.array([[0, 255]], np.uint8)), three)) == 2
