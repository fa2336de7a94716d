# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The stages of an adaptation. Each leaves a checkpoint in the work folder, and is skipped if that exists."""
from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable, Iterator, Optional

import torch
from tqdm import tqdm

from fanet_ros.datasets import Samples
from fanet_ros.datasets.annotations import read_annotations
from fanet_ros.datasets.class_counts import count_classes
from fanet_ros.evaluation.label_free import compare
from fanet_ros.evaluation.views import predict_views
from fanet_ros.inference import ClassMap
from fanet_ros.inference.input_size import InputSize
from fanet_ros.inference.preprocess import Preprocessor
from fanet_ros.model import Checkpoint, load_checkpoint, save_checkpoint
from fanet_ros.tools.adapt.drive import Drive
from fanet_ros.tools.adapt.drive_teacher import DriveTeacher
from fanet_ros.tools.adapt.work_folder import NORM, TAUGHT, TEACHING, TUNED, TUNING
from fanet_ros.training.adaptation import blend, fine_tune, with_statistics_of
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.losses import LabelMeaning, balanced_class_weights
from fanet_ros.training.run_folder import CHECKPOINT_NAME, RunFolder

# Chosen by the runs in weights/experiments.md, "Adapting without labels".
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)    # of new BatchNorm statistics, and of fine-tuned weights
NORM_BATCH = 4
CHOICE_FRAMES = 12                  # by which one of these shares is chosen
ITERATIONS, TAUGHT_ITERATIONS = 100, 300
LEARNING_RATE = 5e-5                # with fixed statistics, ten times more destroys what the network has learned
TAUGHT_RATE = 3e-4
SOFT_WEIGHT = 0.5                   # of the loss on the teacher's soft labels
BATCH = 4
CROP = 0.6                          # of the side of the network's input
CROP_MULTIPLE_PX = 32


class Stages:
    """Runs the stages.

    :param start: the checkpoint to adapt
    :param work: folder for what they leave
    :param arguments: of the command line
    :param teacher: to learn from; None: none
    """

    def __init__(self, start: Checkpoint, drive: Drive, work: Path, device: torch.device, arguments: argparse.Namespace,
                 teacher: Optional[DriveTeacher] = None) -> None:
        self._start, self._work, self._device, self._arguments = start, work, device, arguments
        self._drive, self._teacher = drive, teacher
        self._labelled = self._read_labelled()

    @property
    def labelled_count(self) -> int:
        """Frames with labels."""
        return 0 if self._labelled is None else len(self._labelled)

    def run(self) -> Checkpoint:
        """Run the requested stages; returns the adapted network, with the method as its recipe.

        :raises KeyboardInterrupt: interrupted between two iterations; what is done is kept
        :raises ValueError: training is impossible
        """
        adapted = self._stage(NORM, self._normed)
        if self._teacher is not None:
            adapted = self._stage(TAUGHT, partial(self._taught, adapted, self._teacher))
        if self._labelled is not None:
            adapted = self._stage(TUNED, partial(self._tuned, adapted, self._labelled))
        return adapted

    def _stage(self, name: str, make: Callable[[], tuple[Checkpoint, str]]) -> Checkpoint:
        """What a stage has left; if that is nothing, the network and the recipe that it makes."""
        path = self._work / name
        if not path.is_file():
            made, recipe = make()
            save_checkpoint(path, made.network, replace(self._start.metadata, recipe=recipe))
        return load_checkpoint(path)

    def _normed(self) -> tuple[Checkpoint, str]:
        adapted = with_statistics_of(self._start.network, self._batches(), self._device)
        share, normed = self._most_consistent(self._start, Checkpoint(adapted, self._start.metadata), 'BatchNorm statistics')
        return normed, f'{share:g} of the BatchNorm statistics from its frames'

    def _most_consistent(self, old: Checkpoint, new: Checkpoint, title: str) -> tuple[float, Checkpoint]:
        """The blend of two networks that is most consistent on frames for adapting, and its share of the new one."""
        pairs, classes = self._drive.some_pairs(CHOICE_FRAMES), old.metadata.num_classes
        predictions = [predict_views(blend(old, new, share), pairs, self._device)
                       for share in tqdm(SHARES, desc=title, disable=self._arguments.quiet)]
        agreement = [compare(predictions[0], item, classes).after.mean_agreement for item in predictions]
        share = SHARES[agreement.index(max(agreement))]
        return share, blend(old, new, share)

    def _taught(self, start: Checkpoint, teacher: DriveTeacher) -> tuple[Checkpoint, str]:
        samples, names = teacher.labelled(self._drive, self._drive.learnt), start.metadata.class_names
        pixels = torch.from_numpy(count_classes([samples], names, allow_empty=True))
        settings = replace(self._settings(TAUGHT_ITERATIONS), learning_rate=TAUGHT_RATE, soft_weight=SOFT_WEIGHT)
        taught = self._trained(TEACHING, start, samples, settings, fixed_statistics=False,
                               meaning=LabelMeaning(weights=balanced_class_weights(pixels, len(names)).to(self._device)))
        return taught, (f'{start.metadata.recipe}, trained on labels of {teacher.name}, {self._length(TAUGHT_ITERATIONS)} of '
                        f'{BATCH} views, adamw {TAUGHT_RATE:g}')

    def _tuned(self, start: Checkpoint, labelled: Samples) -> tuple[Checkpoint, str]:
        settings = replace(self._settings(ITERATIONS), learning_rate=LEARNING_RATE, hard_below=1.0)
        share, tuned = self._most_consistent(start, self._trained(TUNING, start, labelled, settings), 'weights')
        return tuned, (f'{start.metadata.recipe}, {share:g} of the way to weights fine-tuned on {len(labelled)} labelled frames, '
                       f'{self._length(ITERATIONS)} of {BATCH} views, adamw {LEARNING_RATE:g}')

    def _trained(self, name: str, start: Checkpoint, samples: Samples, settings: TrainingSettings, *,
                 meaning: LabelMeaning = LabelMeaning(), fixed_statistics: bool = True) -> Checkpoint:
        path = self._work / name
        if not (path / CHECKPOINT_NAME).is_file():
            with RunFolder(path) as folder:
                if not fine_tune(start, samples, folder, settings, self._view(samples), self._device, meaning=meaning,
                                 fixed_statistics=fixed_statistics):
                    raise KeyboardInterrupt
                folder.state_path.unlink(missing_ok=True)       # large, and no longer needed
        return load_checkpoint(path / CHECKPOINT_NAME)

    def _batches(self) -> Iterator[torch.Tensor]:
        """Every frame once, preprocessed; each batch from all over the drive."""
        metadata = self._start.metadata
        preprocess = Preprocessor(metadata.mean, metadata.std, self._device)
        learnt = self._drive.learnt
        count = max(len(learnt) // NORM_BATCH, 1)
        for first in range(count):
            frames = [self._drive.frames.rgb(number) for number in learnt[first::count]]
            size = InputSize(0, 0, metadata.training_resolution).of(*frames[0].shape[:2])
            yield torch.cat([preprocess(rgb, *size).clone() for rgb in frames])

    def _settings(self, iterations: int) -> TrainingSettings:
        return TrainingSettings(
            iterations=self._arguments.iterations or iterations, minutes=self._arguments.minutes, batch_size=BATCH,
            weight_decay=0.01, warmup_iterations=20, ema_decay=0.98, auxiliary_weight=0.0, save_every=50)

    def _length(self, iterations: int) -> str:
        minutes = self._arguments.minutes
        return f'{minutes:g} minutes' if minutes else f'{self._arguments.iterations or iterations} iterations'

    def _view(self, labelled: Samples) -> Augmentation:
        """Crops in which things are about as large as in the network's input, whatever the size of the frames."""
        height, width = self._start.metadata.training_resolution
        rows, columns = (max(round(side * CROP / CROP_MULTIPLE_PX), 2) * CROP_MULTIPLE_PX for side in (height, width))
        frame = labelled[0].rgb.shape
        scale = (height * width / (frame[0] * frame[1])) ** 0.5
        return Augmentation(rows, columns, (0.6 * scale, 1.5 * scale), color=0.3, hue_deg=8.0, gamma=0.4, jpeg=0.1)

    def _read_labelled(self) -> Optional[Samples]:
        if self._arguments.labels is None:
            return None
        samples, unchanged = read_annotations(self._arguments.labels, ClassMap.of_checkpoint(self._start.metadata))
        print(f'{len(samples)} frames with corrected masks'
              + (f'; {unchanged} masks are still as pick wrote them and are left out' if unchanged else ''))
        return samples
