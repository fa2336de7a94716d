# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of classes are single lines of text, wherever a class map comes from."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fanet_ros.inference import ClassMap, SegmentationError
from fanet_ros.model import CheckpointMetadata

METADATA = CheckpointMetadata('fanet18', 'paper', 'two', ('road', 'car'), ((0, 0, 0), (1, 1, 1)), (64, 64))
REFUSED = 'expected names without line breaks and other control characters, got'


@pytest.mark.parametrize('name', ['road\n', 'ro\nad', 'ro\rad', 'ro\tad', 'ro\x00ad', 'ro\x1b[31mad', 'ro\u2028ad', 'ro\x85ad'])
def test_control_characters_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / 'map.yaml'
    with pytest.raises(SegmentationError, match=REFUSED) as refusal:
        ClassMap('street', ('car', name), ((0, 0, 0), (1, 1, 1)))
    assert repr(name) in str(refusal.value) and len(str(refusal.value).splitlines()) == 1
    with pytest.raises(SegmentationError, match=REFUSED):
        ClassMap(name, ('car',), ((0, 0, 0),))
    with pytest.raises(SegmentationError, match=REFUSED):
        ClassMap.of_checkpoint(replace(METADATA, class_names=('car', name)))
    path.write_text(f'name: street\nclasses:\n- {{name: {ascii(name)[1:-1].join(chr(34) * 2)}, color: [0, 0, 0]}}\n')
    with pytest.raises(SegmentationError, match=f'class map {path}: .*{REFUSED}'):
        ClassMap.load(path)


def test_letters_of_any_language_and_spaces_are_accepted() -> None:
    names = 'traffic light', 'Straße', 'площадь', '道路', 'route\u00a0à péage', 'मार्ग', '🚗', 'کوچه\u200cباغ'
    assert ClassMap('two', names, ((0, 0, 0),) * len(names)).names == names
