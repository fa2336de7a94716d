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
from typing import Sequence, Union

import numpy as np

from fanet_ros.training.datasets import DatasetError, Sample
from fanet_ros.training.datasets.changes import Change

CLASSES = 'class_names'


class SoftLabels:
    """The soft labels of one file, as a change of Samples.

    :param class_names: that are trained, among which must be those of the file
    :raises DatasetError: no such file, or of other classes
    """

    def __init__(self, path: Union[str, Path], class_names: Sequence[str]) -> None:
        self.path = Path(path).expanduser()
        self._lock = threading.Lock()       # a zip file has one position
        try:
            self._file = np.load(self.path, allow_pickle=False)
            names = [str(name) for name in self._file[CLASSES]]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise DatasetError(f'{self.path} is no file of soft labels ({error}): write one with soft_labels') from None
        unknown = [name for name in names if name not in class_names]
        if unknown:
            raise DatasetError(f'{self.path} has the class {unknown[0]!r}, which is not trained: expected of '
                               f'{", ".join(class_names)}')
        self._channels = [list(class_names).index(name) for name in names]
        self._num_classes = len(class_names)

    def change(self) -> Change:
        """Gives each sample its soft labels.

        The change raises DatasetError for an image that the file has no soft labels of.
        """
        def add(sample: Sample) -> Sample:
            with self._lock:
                if sample.name not in self._file:
                    raise DatasetError(f'{self.path} has no soft labels of {sample.name}: write it anew with soft_labels')
                stored = self._file[sample.name]
            soft = np.zeros((*stored.shape[:2], self._num_classes), np.uint8)
            soft[..., self._channels] = stored
            return replace(sample, soft=soft)
        return add
