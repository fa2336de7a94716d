"""What another network makes of the images of a data set, kept in one file: the soft labels that a network learns from.

Knowledge distillation (Hinton et al., arXiv 1503.02531): probabilities tell more than the class that was drawn by hand, and
are there where none was drawn. The file is an .npz of uint8 arrays (h, w, C), probabilities of 255, by name of the image; its
array CLASSES holds the names of the C classes. Corners of the arrays are corners of the images.
"""
from __future__ import annotations

import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Mapping, Sequence, Union

import numpy as np

from fanet_ros.training.datasets import DatasetError, Sample
from fanet_ros.training.datasets.changes import Change

CLASSES = 'class_names'


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
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
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
