# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Soft labels: class probabilities that a teacher network predicts for a data set, kept in one file.

Knowledge distillation (Hinton et al., arXiv 1503.02531): probabilities carry more information than hand-drawn classes, and
cover unlabelled pixels too. The file is an .npz of uint8 arrays (h, w, C), probabilities times 255, keyed by image name; its
array CLASSES holds the names of the C classes. The corners of the arrays are aligned to those of the images.
"""
from __future__ import annotations

import threading
import zipfile
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Iterable, Mapping, Sequence, Union

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.atomic_file import replacing
from fanet_ros.datasets import UNLABELLED, DatasetError, Sample
from fanet_ros.datasets.changes import Change

CLASSES = 'class_names'


def write_soft_labels(path: Path, class_names: Sequence[str], frames: Iterable[tuple[str, np.ndarray]],
                      compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Write the file, or leave none behind on failure.

    :param frames: name of each image and its (h, w, C) uint8
    :param compression: method of zipfile
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, zipfile.ZipFile(partial, 'w', compression) as archive:
        for name, array in chain([(CLASSES, np.array(class_names))], frames):
            _write_array(archive, name, array)


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """Store one array as numpy.savez does, without holding the others in memory."""
    with archive.open(f'{name}.npy', 'w') as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


def class_table(names: Sequence[str], class_names: Sequence[str], rename: Mapping[str, str]) -> np.ndarray:
    """(classes of a teacher, C) float32: 1 where a class of the teacher counts as one of `class_names`.

    :param rename: teacher's class -> trained class, where names differ, or '' for none; several may become one
    :raises DatasetError: a class of the teacher has no place, or none has
    """
    targets = [rename.get(name, name) for name in names]
    homeless = {name: target for name, target in zip(names, targets) if target and target not in class_names}
    if homeless:
        wrong = ', '.join(name if name == target else f'{name} (renamed to {target})' for name, target in homeless.items())
        raise DatasetError(f"{wrong}: no such class is trained; rename each to one of {', '.join(class_names)}, or to ''")
    if not any(targets):
        raise DatasetError('every class is renamed to nothing')
    return np.array([[target == name for name in class_names] for target in targets], np.float32)


class SoftLabels:
    """Attaches the soft labels of a file to samples.

    :param class_names: the trained classes
    :param rename: class of the file -> trained class, where names differ, or '' for none; several may become one
    :raises DatasetError: missing, not a soft label file, or with other classes
    """

    def __init__(self, path: Union[str, Path], class_names: Sequence[str], rename: Mapping[str, str]) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()       # the zip file has a single read position
        try:
            self._file = np.load(self.path, allow_pickle=False)
            names = [str(name) for name in self._file[CLASSES]]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(f'{self.path} is not a soft label file ({error}): write one with soft_labels') from None
        try:
            self._onto = class_table(names, class_names, rename)
        except DatasetError as error:
            raise DatasetError(f'{self.path}: {error}') from None

    def change(self) -> Change:
        """Change that adds the soft labels to a sample.

        It raises DatasetError for an image without soft labels in the file.
        """
        def add(sample: Sample) -> Sample:
            with self._lock:
                if sample.name not in self._file:
                    raise DatasetError(f'{self.path} has no soft labels of {sample.name}: delete it and run soft_labels again')
                stored = self._file[sample.name]
            return replace(sample, soft=(stored @ self._onto).clip(0, 255).astype(np.uint8))
        return add


def label_confident(least: float) -> Change:
    """Change that labels each pixel with its most probable class by the soft labels, or UNLABELLED if that is below `least`.

    :param least: 0..1
    """
    def label(sample: Sample) -> Sample:
        assert sample.soft is not None
        soft = torch.from_numpy(sample.soft).permute(2, 0, 1)[None].float()
        probability, labels = F.interpolate(soft, sample.rgb.shape[:2], mode='bilinear', align_corners=True)[0].max(0)
        return replace(sample, labels=labels.where(probability >= 255 * least, UNLABELLED).to(torch.uint8).numpy())
    return label


def relabel_with_unlabelled_classes(table: np.ndarray, plain: np.ndarray, unlabelled: Sequence[int]) -> Change:
    """Change for a data set without labels for the classes `unlabelled`, whose pixels carry the label of what is behind them.

    Where the soft labels find one of these classes the most probable, labels become `table[label]`, by which they are right too;
    elsewhere `plain[label]`, by which they are wrong, and the soft labels lose them. If they were never wrong, the network would
    learn them from the teacher's every doubt, and see them everywhere.

    :param table: (256,) uint8
    :param plain: (256,) uint8
    """
    def change(sample: Sample) -> Sample:
        assert sample.soft is not None
        soft = sample.soft.copy()
        seen = np.isin(soft.argmax(2), unlabelled)
        for index in unlabelled:
            soft[..., index][~seen] = 0
        rows, columns = (np.linspace(0, few - 1, many).round().astype(int) for few, many in zip(seen.shape, sample.labels.shape))
        seen = seen[rows[:, None], columns]
        return replace(sample, labels=np.where(seen, table[sample.labels], plain[sample.labels]), soft=soft)
    return change
