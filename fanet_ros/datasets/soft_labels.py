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
from fanet_ros.datasets import DatasetError, Sample
from fanet_ros.datasets.changes import Change
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint

CLASSES = 'class_names'


def predict_soft_labels(teacher: Checkpoint, rgb: np.ndarray, sizes: Sequence[tuple[int, int]], rows: int, columns: int,
                        device: torch.device) -> np.ndarray:
    """Class probabilities times 255, (rows, columns, C) uint8, averaged over input sizes and horizontal mirroring.

    :param teacher: with its network on `device`
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
        targets = [rename.get(name, name) for name in names] if set(names) != set(class_names) else names
        unknown = [name for name in targets if name and name not in class_names]
        if unknown:
            raise DatasetError(f'{self.path} has the class {unknown[0]!r}, which is not trained: expected one of '
                               f'{", ".join(class_names)}; rename it')
        # (classes of the file, C): adds the probability of each to its trained class.
        self._onto = np.array([[target == name for name in class_names] for target in targets], np.float32)

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
