# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Predict and write the soft labels for the data sets of a recipe."""
from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from fanet_ros.datasets import DatasetError, Samples
from fanet_ros.datasets.class_sets import ClassSets
from fanet_ros.datasets.layouts import find_class_map, load_dataset
from fanet_ros.datasets.soft_labels import write_soft_labels
from fanet_ros.datasets.teachers import Teacher, open_teachers, predict_soft_labels, scaled_sizes
from fanet_ros.inference.device import choose_device
from fanet_ros.tools.train.command import find_recipe
from fanet_ros.training.config import TrainingConfig


def run(arguments: argparse.Namespace) -> None:
    """Write the files of soft labels that the recipe names and that do not exist yet.

    :raises ValueError: unusable recipe, teacher or data, or nothing to do
    """
    config = TrainingConfig.load(find_recipe(arguments.recipe), arguments.set)
    device = choose_device(arguments.device)
    teachers = open_teachers(arguments.teacher, arguments.teacher_classes, device)
    wanted = _wanted(config)
    if not wanted:
        raise ValueError(f'{arguments.recipe}: no data set has the key soft_labels')
    for path, parts in wanted.items():
        if path.exists():
            print(f'{path} exists')
            continue
        frames = _frames(teachers, parts, config.temporal_frames, arguments.scales, arguments.stride, path.name)
        write_soft_labels(path, teachers[0].class_names, frames)
        print(f'{path}: {path.stat().st_size / 1e6:.1f} MB')


def _wanted(config: TrainingConfig) -> dict[Path, list[Samples]]:
    """The data sets by their soft label file; several may share one.

    :raises DatasetError: different images in them have the same name
    """
    class_map = find_class_map(config.class_map)
    sets = ClassSets(len(class_map))
    wanted: dict[Path, list[Samples]] = {}
    files: dict[tuple[Path, str], tuple[Path, ...]] = {}
    for item in config.data:
        if item.soft_labels:
            path, samples = Path(item.soft_labels).expanduser(), load_dataset(replace(item, soft_labels=''), class_map, sets=sets)
            wanted.setdefault(path, []).append(samples)
            for entry in samples.entries:       # the file keeps soft labels by name
                own = entry.files or (Path(item.path).resolve(), Path(item.camera_topic))
                if files.setdefault((path, entry.name), own) != own:
                    raise DatasetError(f'{path} is for data sets that both have an image {entry.name}: give each a file of its own')
    return wanted


def _frames(teachers: Sequence[Teacher], parts: Sequence[Samples], clip_length: int, scales: Sequence[float], stride: int,
            description: str) -> Iterator[tuple[str, np.ndarray]]:
    """Predict every image, and those before it in its video that a clip has."""
    done: set[str] = set()
    with tqdm(total=sum(map(len, parts)), desc=description, unit='frame') as bar:
        for samples in parts:
            for index, name in enumerate(samples.names):
                bar.update()
                if name in done and clip_length == 1:       # the same image in another data set
                    continue
                for sample in samples.video(index, clip_length) or [samples[index]]:
                    if sample.name in done:
                        continue
                    done.add(sample.name)
                    height, width = sample.labels.shape
                    yield sample.name, predict_soft_labels(
                        teachers, sample.rgb, scaled_sizes(height, width, scales), -(-height // stride), -(-width // stride))
