# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published label values."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fanet_ros.datasets.official_sets import LABEL_IDS, label_table
from fanet_ros.inference import ClassMap, SegmentationError, make_label_table
from fanet_ros.package_share import share_directory

STREET = ClassMap('street', ('sky', 'road', 'pavement', 'car'), ((1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)),
                  ids=(23, 7, 8, 26))
INDICES = np.array([[0, 1], [2, 3]], np.uint8)


def published(**settings: str) -> tuple[list[int], dict[int, str]]:
    """Values of the four classes, and names of all announced classes."""
    table = make_label_table(STREET, **settings)
    values = table.apply(INDICES)
    assert values.dtype == np.uint8 and set(values.flat) == {item.value for item in table.classes}
    assert [item.value for item in table.classes] == sorted({item.value for item in table.classes})
    names = [item.name for item in table.classes]
    assert len(set(names)) == len(names)        # costmaps find the value by its name
    return [int(value) for value in values.flat], {item.value: item.name for item in table.classes}


def test_labels_are_unchanged_by_default() -> None:
    table = make_label_table(STREET)
    assert table.apply(INDICES) is INDICES
    assert published() == ([0, 1, 2, 3], {0: 'sky', 1: 'road', 2: 'pavement', 3: 'car'})
    assert np.array_equal(table.palette(), STREET.palette())


def test_data_set_ids() -> None:
    values, names = published(label_ids='dataset')
    assert values == [23, 7, 8, 26] and names == {7: 'road', 8: 'pavement', 23: 'sky', 26: 'car'}
    palette = make_label_table(STREET, label_ids='dataset').palette()
    assert palette[26].tolist() == [4, 4, 4] and palette[3].tolist() == [0, 0, 0]


def test_filter_keeps_the_named_classes() -> None:
    assert published(class_filter='road, car') == ([255, 1, 255, 3], {1: 'road', 3: 'car', 255: 'unlabelled'})
    assert published(class_filter='road', label_ids='dataset') == ([255, 7, 255, 255], {7: 'road', 255: 'unlabelled'})


@pytest.mark.parametrize(('settings', 'values', 'names'), [
    ({'class_remap': 'pavement=road'}, [0, 1, 1, 3], {0: 'sky', 1: 'road', 3: 'car'}),
    ({'class_remap': ' pavement = road , sky=unlabelled'}, [255, 1, 1, 3], {1: 'road', 3: 'car', 255: 'unlabelled'}),
    ({'class_remap': 'car=254'}, [0, 1, 2, 254], {0: 'sky', 1: 'road', 2: 'pavement', 254: 'car'}),
    ({'class_remap': 'road=100, pavement=100'}, [0, 100, 100, 3], {0: 'sky', 3: 'car', 100: 'road+pavement'}),
    ({'class_remap': 'road=pavement, pavement=road'}, [0, 2, 1, 3], {0: 'sky', 1: 'road', 2: 'pavement', 3: 'car'}),
    ({'class_remap': 'pavement=road', 'class_filter': 'road'}, [255, 1, 1, 255], {1: 'road', 255: 'unlabelled'}),
    ({'class_remap': 'pavement=road', 'label_ids': 'dataset'}, [23, 7, 7, 26], {7: 'road', 23: 'sky', 26: 'car'}),
    ({'class_remap': 'car=1'}, [0, 1, 2, 1], {0: 'sky', 1: 'road', 2: 'pavement'}),
    ({'class_remap': 'car=0, sky=unlabelled'}, [255, 1, 2, 0],
     {0: 'car', 1: 'road', 2: 'pavement', 255: 'unlabelled'}),
])
def test_remapped_classes(settings: dict[str, str], values: list[int], names: dict[int, str]) -> None:
    assert published(**settings) == (values, names)


@pytest.mark.parametrize(('settings', 'reason'), [
    ({'class_filter': 'road, bus'}, "class_filter has 'bus': class map street has only sky, road, pavement, car"),
    ({'class_remap': 'bus=road'}, "class_remap has 'bus': class map street has only sky, road, pavement, car"),
    ({'class_remap': 'road=bus'}, "class_remap has 'bus'"),
    ({'class_remap': 'road'}, "class_remap has 'road': expected NAME=TARGET"),
    ({'class_remap': 'road='}, 'expected NAME=TARGET'),
    ({'class_remap': 'road=255'}, 'value 255: expected 0..254, or unlabelled'),
    ({'class_remap': 'road=1, road=2'}, 'more than once'),
    ({'label_ids': 'own'}, "label_ids is 'own': expected one of training, dataset"),
])
def test_invalid_settings_are_rejected(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(SegmentationError, match=reason):
        make_label_table(STREET, **settings)


def test_missing_ids_are_reported() -> None:
    without = ClassMap(STREET.name, STREET.names, STREET.colors)
    with pytest.raises(SegmentationError, match='class map street has no ids: set class_map'):
        make_label_table(without, label_ids='dataset')


def test_shipped_ids_match_the_data_set_readers() -> None:
    folder = share_directory() / 'config' / 'class_maps'
    assert ClassMap.load(folder / 'cityscapes19.yaml').ids == LABEL_IDS
    ids = ClassMap.load(folder / 'coco_stuff171.yaml').ids
    assert ids is not None and [label_table()[value] for value in ids] == list(range(171))
    assert ClassMap.load(folder / 'camvid11.yaml').ids is None


@pytest.mark.parametrize('ids', [('1', '1'), ('1', '255'), ('-1', '2'), ('1', 'x'), ('1', None)])
def test_file_with_invalid_ids_is_rejected(tmp_path: Path, ids: tuple) -> None:
    rows = [f'- {{name: {name}, color: [1, 2, 3]{"" if value is None else f", id: {value}"}}}'
            for name, value in zip('ab', ids)]
    (tmp_path / 'two.yaml').write_text('\n'.join(['name: two', 'classes:', *rows]))
    with pytest.raises(SegmentationError, match='class map'):
        ClassMap.load(tmp_path / 'two.yaml')


def test_a_class_map_with_ids_for_some_classes_names_one_without(tmp_path: Path) -> None:
    (tmp_path / 'map.yaml').write_text(
        'name: mine\nclasses:\n- {name: road, color: [1, 2, 3], id: 7}\n- {name: tree, color: [4, 5, 6]}\n')
    with pytest.raises(SegmentationError, match=r"map.yaml: 'tree' has no id, but other classes have"):
        ClassMap.load(tmp_path / 'map.yaml')
