# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labels for the frames of a drive from another network."""
from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional, Sequence

import numpy as np
import torch
import yaml
from tqdm import tqdm

from fanet_ros.datasets import UNLABELLED, DatasetError, Entry, Sample, Samples
from fanet_ros.datasets.frame_set import name_of
from fanet_ros.datasets.soft_labels import SoftLabels, class_table, label_confident, write_soft_labels
from fanet_ros.datasets.teachers import Teacher, open_teacher, predict_soft_labels, scaled_sizes
from fanet_ros.evaluation.label_free import TeacherLabels
from fanet_ros.inference.input_size import InputSize
from fanet_ros.model.checkpoint_files import display_name
from fanet_ros.tools.adapt.drive import Drive
from fanet_ros.tools.adapt.work_folder import SOFT_LABELS

SCALES = (1.0, 1.5)     # of a checkpoint's input: better together than one
STRIDE = 4              # image pixels per soft label
CERTAIN = 0.5           # least probability of a class that becomes a pixel's label


class DriveTeacher:
    """Labels the frames of a drive with another network.

    :param name: of the other network, for the card
    :param class_names: of the network to adapt
    :param rename: teacher's class -> class of the network to adapt, or ''
    :param path: file of its soft labels, written when they are needed and it does not exist
    :raises DatasetError: a class of the teacher has no place
    """

    def __init__(self, teacher: Teacher, name: str, class_names: Sequence[str], rename: Mapping[str, str], path: Path, *,
                 quiet: bool = False) -> None:
        table = check_classes(teacher.class_names, class_names, rename)
        self.name = name
        self.known: np.ndarray = np.asarray(table.any(0))
        self._teacher, self._class_names, self._rename, self._path, self._quiet = teacher, class_names, rename, path, quiet

    def labelled(self, drive: Drive, numbers: Sequence[int]) -> Samples:
        """Frames of the drive with soft labels, and labels where one class is more probable than all others together.

        :raises DatasetError: the teacher fails on a frame
        :raises OSError: the file of the soft labels cannot be written
        """
        if not self._path.is_file():
            write_soft_labels(self._path, self._teacher.class_names, self._predictions(drive))
        soft = SoftLabels(self._path, self._class_names, self._rename).change()
        entries = [Entry(name_of(number), partial(_unlabelled, drive, number)) for number in numbers]
        return Samples(entries).changed(soft).changed(label_confident(CERTAIN))

    def judging(self, drive: Drive) -> TeacherLabels:
        """What the teacher says of the frames for judging; raises as labelled() does."""
        return TeacherLabels([sample.labels for sample in self.labelled(drive, drive.held_out)], self.known)

    @property
    def identity(self) -> dict[str, Any]:
        """What its labels depend on, beside the frames, as plain values."""
        return {'classes': list(self._teacher.class_names), 'rename': dict(self._rename)}

    def _predictions(self, drive: Drive) -> Iterator[tuple[str, np.ndarray]]:
        for number in tqdm(sorted(drive.learnt + drive.held_out), desc="the teacher's labels", unit='frame', disable=self._quiet):
            rgb = drive.frames.rgb(number)
            height, width = rgb.shape[:2]
            usual = self._teacher.usual_size
            sizes = scaled_sizes(height, width, (1.0,)) if usual is None else [
                InputSize(0, 0, usual, scale).of(height, width) for scale in SCALES]
            yield name_of(number), predict_soft_labels([self._teacher], rgb, sizes, -(-height // STRIDE), -(-width // STRIDE))


def find_teacher(arguments: argparse.Namespace, class_names: Sequence[str], device: torch.device) -> Optional[DriveTeacher]:
    """The teacher that the command line asks for; None if it asks for none.

    :param class_names: of the network to adapt
    :raises ValueError: it cannot be used
    """
    if not arguments.teacher:
        return None
    teacher = open_teacher(arguments.teacher, arguments.teacher_classes, device)
    return DriveTeacher(teacher, display_name(arguments.teacher), class_names, read_rename(arguments.teacher_rename),
                        arguments.work / SOFT_LABELS, quiet=arguments.quiet)


def read_rename(text: str) -> Mapping[str, str]:
    """Teacher's class -> class of the network to adapt, or '', from YAML such as `{person: pedestrian, terrain: ''}` or its file.

    :raises DatasetError: unreadable, or of another form
    """
    path = Path(text).expanduser()
    try:
        content: Any = yaml.safe_load(path.read_text('utf-8') if path.suffix in ('.yaml', '.yml') else text) or {}
    except OSError as error:
        raise DatasetError(f'--teacher-rename {path}: {error.strerror}') from None
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(item, str) for pair in content.items() for item in pair):
        raise DatasetError(f"--teacher-rename {text}: expected YAML such as {{person: pedestrian, terrain: ''}}, or the path of a "
                           'file with that')
    return content


def check_classes(taught: Sequence[str], known: Sequence[str], rename: Mapping[str, str]) -> np.ndarray:
    """The class table, after checking that every class of the teacher has a place.

    :raises DatasetError: says which has none, and what to do
    """
    for name in rename:
        if name not in taught:
            raise DatasetError(f'--teacher-rename: {name!r} is not a class of the teacher: expected one of {", ".join(taught)}')
    try:
        return class_table(taught, known, rename)
    except DatasetError as error:
        raise DatasetError(f'--teacher-rename: {error}') from None


def _unlabelled(drive: Drive, number: int) -> Sample:
    rgb = drive.frames.rgb(number)
    return Sample(name_of(number), rgb, np.full(rgb.shape[:2], UNLABELLED, np.uint8))
