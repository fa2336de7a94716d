# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a changed command keeps of an earlier run, and what it removes."""
from __future__ import annotations

from pathlib import Path

import pytest

from fanet_ros.tools.adapt import work_folder
from fanet_ros.tools.adapt.work_folder import NORM, SOFT_LABELS, TAUGHT, TEACHER, TEACHING, check_settings, with_checksum

SETTINGS = {'source': '/drives/1', 'frames': 300, TEACHER: {'network': 'a.onnx', 'classes': ['road'], 'rename': {}}}
RUN = (NORM, TAUGHT, f'{TEACHING}/checkpoint.safetensors', 'frames/frames.json', SOFT_LABELS)


def fill(work: Path) -> None:
    for name in RUN:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).touch()


def left(work: Path) -> set[str]:
    return {name for name in RUN if (work / name).exists()}


def test_the_same_command_keeps_everything(tmp_path: Path) -> None:
    check_settings(tmp_path, SETTINGS)
    fill(tmp_path)
    check_settings(tmp_path, SETTINGS)
    assert left(tmp_path) == set(RUN)


def test_another_teacher_keeps_the_frames_and_what_was_learned_before(tmp_path: Path) -> None:
    check_settings(tmp_path, SETTINGS)
    fill(tmp_path)
    other = {**SETTINGS, TEACHER: {'network': 'a.onnx', 'classes': ['street'], 'rename': {'street': 'road'}}}
    check_settings(tmp_path, other)
    assert left(tmp_path) == {NORM, 'frames/frames.json'}
    fill(tmp_path)
    check_settings(tmp_path, other)
    assert left(tmp_path) == set(RUN)
    with pytest.raises(ValueError, match=r'holds a run with another frames \(300, now 9\)'):
        check_settings(tmp_path, {**other, 'frames': 9})


def test_other_labels_keep_what_was_learned_without_them(tmp_path: Path) -> None:
    check_settings(tmp_path, {**SETTINGS, work_folder.LABELS: ''})
    fill(tmp_path)
    (tmp_path / work_folder.TUNED).touch()
    check_settings(tmp_path, {**SETTINGS, work_folder.LABELS: 'to_label'})
    assert left(tmp_path) == set(RUN) and not (tmp_path / work_folder.TUNED).exists()


def test_what_was_learned_goes_with_the_frames(tmp_path: Path) -> None:
    check_settings(tmp_path, SETTINGS)
    fill(tmp_path)
    (tmp_path / 'frames' / 'frames.json').unlink()
    check_settings(tmp_path, {**SETTINGS, 'frames': 9})
    assert left(tmp_path) == {SOFT_LABELS}          # gathering the frames clears their folder


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / TEACHING).mkdir()
    (tmp_path / TEACHING / 'checkpoint.safetensors').touch()
    check_settings(tmp_path, SETTINGS)
    assert left(tmp_path) == {f'{TEACHING}/checkpoint.safetensors'}


def test_a_work_folder_among_the_labels_does_not_change_them(tmp_path: Path) -> None:
    work, mask = tmp_path / 'mine.adapt', tmp_path / 'labels' / 'a.png'
    for path in (mask, work / 'frames' / 'images' / '0000.png'):
        path.parent.mkdir(parents=True)
    mask.write_bytes(b'before')
    before = with_checksum(tmp_path, work)
    (work / 'frames' / 'images' / '0000.png').write_bytes(b'frame')
    assert with_checksum(tmp_path, work) == before
    mask.write_bytes(b'after')
    assert with_checksum(tmp_path, work) != before
