# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What another network makes of the images of a data set, kept in one file: the soft labels that a network learns from.

Knowledge distillation (Hinton et al., arXiv 1503.02531): probabilities tell more than the class that was drawn by hand, and
are there where none was drawn. The file is an .npz of uint8 arrays (h, w, C), probabilities of 255, by name of the image; its
array CLASSES holds the names of the C classes. Corners of the arrays are corners of the images.
"""
from __future__ import annotations

import os
import threading
import zipfile
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Iterable, Mapping, Sequence, Union

import numpy as np
import torch
import torch.nn.functional as F

from fanet_ros.datasets import DatasetError, Sample
from fanet_ros.datasets.changes import Change
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint

CLASSES = 'class_names'


def predict_soft_labels(teacher: Checkpoint, rgb: np.ndarray, sizes: Sequence[tuple[int, int]], rows: int, columns: int,
                        device: torch.device) -> np.ndarray:
    """(rows, columns, C) uint8, probabilities of 255: the mean over network resolutions, each mirrored too.

    :param teacher: its network on `device`
    :param rgb: (H, W, 3) uint8
    :param sizes: height and width [px] of the network's input
    """
    network, metadata = teacher
    preprocess = Preprocessor(metadata.mean, metadata.std, device)
    total = torch.zeros(metadata.num_classes, rows, columns, device=device)
    with torch.inference_mode():
        for size in sizes:
            image = preprocess(rgb, *size)
            logits = network(torch.cat([image, image.flip(3)])).float()
            logits = F.interpolate(logits, (rows, columns), mode='bilinear', align_corners=True).softmax(1)
            total += logits[0] + logits[1].flip(2)
    return (total.permute(1, 2, 0) * (255 / (2 * len(sizes)))).round().to(torch.uint8).cpu().numpy()


def write_soft_labels(path: Path, class_names: Sequence[str], frames: Iterable[tuple[str, np.ndarray]],
                      compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Write the file, or leave none behind when that fails.

    :param frames: name of each image and its (h, w, C) uint8
    :param compression: as of zipfile
    """
    partial = path.with_name(f'.partial_{path.name}')
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(partial, 'w', compression) as archive:
            for name, array in chain([(CLASSES, np.array(class_names))], frames):
                _write_array(archive, name, array)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> None:
    """One array as numpy's savez stores it, without holding the others in memory."""
    with archive.open(f'{name}.npy', 'w') as member:
        np.lib.format.write_array(member, array, allow_pickle=False)


class SoftLabels:
    """The soft labels of one file, as a change of Samples.

    :param class_names: that are trained
    :param rename: class of the file -> trained one, where names differ, or '' for none; several may become one
    :raises DatasetError: no such file, or of other classes
    """

    def __init__(self, path: Union[str, Path], class_names: Sequence[str], rename: Mapping[str, str]) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()       # a zip file has one position
        try:
            self._file = np.load(self.path, allow_pickle=False)
            names = [str(name) for name in self._file[CLASSES]]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(f'{self.path} is no file of soft labels ({error}): write one with soft_labels') from None
        targets = [rename.get(name, name) for name in names] if set(names) != set(class_names) else names
        unknown = [name for name in targets if name and name not in class_names]
        if unknown:
            raise DatasetError(f'{self.path} has the class {unknown[0]!r}, which is not trained: expected of '
                               f'{", ".join(class_names)}, or rename it')
        # (classes of the file, C): where the probability of each goes.
        self._onto = np.array([[target == name for name in class_names] for target in targets], np.float32)

    def change(self) -> Change:
        """Gives each sample its soft labels.

        The change raises DatasetError for an image that the file has no soft labels of.
        """
        def add(sample: Sample) -> Sample:
            with self._lock:
                if sample.name not in self._file:
                    raise DatasetError(f'{self.path} has no soft labels of {sample.name}: write it anew with soft_labels')
                stored = self._file[sample.name]
            return replace(sample, soft=(stored @ self._onto).clip(0, 255).astype(np.uint8))
        return add
