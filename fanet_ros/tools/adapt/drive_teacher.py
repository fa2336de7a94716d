# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels for the frames of a drive from another network."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence

import numpy as np
import torch
import yaml
from tqdm import tqdm

from fanet_ros.datasets import UNLABELLED, DatasetError, Entry, Sample, Samples
from fanet_ros.datasets.changes import Change
from fanet_ros.datasets.layouts import find_class_map
from fanet_ros.datasets.soft_labels import SoftLabels, averaged, class_table, label_confident, write_soft_labels
from fanet_ros.datasets.teachers import CheckpointTeacher, Teacher, open_teacher, predict_soft_labels, scaled_sizes
from fanet_ros.inference.input_size import InputSize
from fanet_ros.model import Checkpoint
from fanet_ros.tools.adapt.drive import Drive

SCALES = (1.0, 1.5)     # of a checkpoint's input: better together than one
STRIDE = 4              # image pixels per soft label
CERTAIN = 0.5           # least probability of a class that becomes a pixel's label


class DriveTeacher:
    """Labels the frames of a drive with another network.

    :param name: of the other network, for the card
    :param own: the network to adapt: what it knows counts as much as what the teacher says
    :param rename: teacher's class -> class of the network to adapt, or ''
    :param work: folder for the soft labels of both, which are written when they are needed
    :raises DatasetError: a class of the teacher has no place
    """

    def __init__(self, teacher: Teacher, name: str, own: Teacher, rename: Mapping[str, str], work: Path, *,
                 quiet: bool = False) -> None:
        check_classes(teacher.class_names, own.class_names, rename)
        self.name = name
        self._teacher, self._own, self._rename, self._work, self._quiet = teacher, own, rename, work, quiet

    def labels(self, drive: Drive, numbers: Sequence[int]) -> list[np.ndarray]:
        """The teacher's labels of frames, (H, W) uint8 of the network's classes, UNLABELLED where none is certain.

        :raises DatasetError: the teacher fails on a frame
        :raises OSError: the file of the soft labels cannot be written
        """
        return [sample.labels for sample in _frames(drive, numbers).changed(self._taught(drive)).changed(label_confident(CERTAIN))]

    def lesson(self, drive: Drive) -> Samples:
        """The frames for adapting, with the mean of the soft labels of both networks, and labels where one class is certain.

        :raises DatasetError: the teacher fails on a frame
        :raises OSError: the files of the soft labels cannot be written
        """
        own = self._soft_labels(self._own, drive, drive.learnt, self._work / 'own_labels.npz', 'its own labels')
        return _frames(drive, drive.learnt).changed(averaged(self._taught(drive), own)).changed(label_confident(CERTAIN))

    def _taught(self, drive: Drive) -> Change:
        numbers = sorted(drive.learnt + drive.held_out)
        return self._soft_labels(self._teacher, drive, numbers, self._work / 'teacher_labels.npz', "the teacher's labels")

    def _soft_labels(self, network: Teacher, drive: Drive, numbers: Sequence[int], path: Path, title: str) -> Change:
        if not path.is_file():
            write_soft_labels(path, network.class_names, _predictions(
                network, drive, tqdm(numbers, desc=title, unit='frame', disable=self._quiet)))
        return SoftLabels(path, self._own.class_names, self._rename).change()


def find_teacher(arguments: argparse.Namespace, start: Checkpoint, device: torch.device) -> Optional[DriveTeacher]:
    """The teacher that the command line asks for; None if it asks for none.

    :param start: the network to adapt
    :raises ValueError: it cannot be used
    """
    if not arguments.teacher:
        return None
    classes = find_class_map(arguments.teacher_classes) if arguments.teacher_classes else None
    return DriveTeacher(open_teacher(arguments.teacher, classes, device), Path(arguments.teacher).stem,
                        CheckpointTeacher(start, device), read_rename(arguments.teacher_rename), arguments.work,
                        quiet=arguments.quiet)


def read_rename(text: str) -> Mapping[str, str]:
    """Teacher's class -> class of the network to adapt, or '', from YAML such as `{person: pedestrian, terrain: ''}` or its file.

    :raises DatasetError: unreadable, or of another form
    """
    path = Path(text).expanduser()
    try:
        content: Any = yaml.safe_load(path.read_text('utf-8') if text and not text.startswith('{') else text) or {}
    except OSError as error:
        raise DatasetError(f'--teacher-rename {path}: {error.strerror}') from None
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(item, str) for pair in content.items() for item in pair):
        raise DatasetError(f"--teacher-rename {text}: expected YAML such as {{person: pedestrian, terrain: ''}}, or the path of a "
                           'file with that')
    return content


def check_classes(taught: Sequence[str], known: Sequence[str], rename: Mapping[str, str]) -> None:
    """Check that every class of the teacher has a place.

    :raises DatasetError: says which has none, and what to do
    """
    for name in rename:
        if name not in taught:
            raise DatasetError(f'--teacher-rename: {name!r} is not a class of the teacher: expected one of {", ".join(taught)}')
    try:
        class_table(taught, known, rename)
    except DatasetError as error:
        raise DatasetError(f'--teacher-rename: {error}') from None


def _predictions(network: Teacher, drive: Drive, numbers: Iterable[int]) -> Iterator[tuple[str, np.ndarray]]:
    for number in numbers:
        rgb = drive.frames.frame(number).rgb
        height, width = rgb.shape[:2]
        sizes = scaled_sizes(height, width, (1.0,)) if network.usual_size is None else [
            InputSize(0, 0, network.usual_size, scale).of(height, width) for scale in SCALES]
        yield _name(number), predict_soft_labels(network, rgb, sizes, -(-height // STRIDE), -(-width // STRIDE))


def _frames(drive: Drive, numbers: Sequence[int]) -> Samples:
    return Samples([Entry(_name(number), partial(_unlabelled, drive, number)) for number in numbers])


def _unlabelled(drive: Drive, number: int) -> Sample:
    rgb = drive.frames.frame(number).rgb
    return Sample(_name(number), rgb, np.full(rgb.shape[:2], UNLABELLED, np.uint8))


def _name(number: int) -> str:
    return f'{number:04d}'
