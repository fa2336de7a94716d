# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training throughput in images per second: augmentation on the CPU versus on the device."""
from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Union

from fanet_ros.datasets import SampleCache, street
from fanet_ros.inference import ClassMap
from fanet_ros.model import CheckpointMetadata
from fanet_ros.package_share import class_map_file
from fanet_ros.tools.benchmark.setup import BenchmarkSettings
from fanet_ros.tools.benchmark.timing import CPU_PACE, Case, Pace, take_turns
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Group
from fanet_ros.training.config import TrainingSettings
from fanet_ros.training.device_batches import DeviceBatchSource
from fanet_ros.training.run_folder import RunFolder
from fanet_ros.training.trainer import Trainer, new_network

SEEDS, FRAMES = (100, 101), (7, 90, 173, 256)       # of the street: eight images, cached so that none is rendered while timing
ITERATIONS = {'cpu': 4, 'cuda': 100}                # per turn
PACE = {'cpu': Pace(warm_up_runs=1, pause_s=CPU_PACE.pause_s), 'cuda': Pace(warm_up_runs=1, pause_s=0.0)}


def training_suite(settings: BenchmarkSettings) -> list[dict[str, Any]]:
    """Time whole iterations of Trainer.run() in ms per image, by variant, at the first size and the largest batch.

    The loader's threads run from the start to the end of a turn; nothing is saved.
    """
    (height, width), batch, kind = settings.sizes[0], max(settings.batches), settings.device.type
    class_map = ClassMap.load(class_map_file(street.CLASS_MAP))
    samples = street.load_street(SEEDS, FRAMES, height, width, lambda name: True, SampleCache())
    groups, augmentation = [Group(samples, 1.0)], Augmentation(height, width)
    results = []
    for variant in settings.variants:
        metadata = CheckpointMetadata(variant, 'paper', class_map.name, class_map.names, class_map.colors, (height, width))
        recipe = TrainingSettings(batch_size=batch)
        sources: dict[str, Union[BatchSource, DeviceBatchSource]] = {
            'views by OpenCV on the CPU': BatchSource(groups, augmentation, range(batch), recipe.seed),
            f'views by PyTorch on {settings.device}': DeviceBatchSource(groups, augmentation, range(batch), recipe.seed,
                                                                        settings.device)}
        cases = []
        with tempfile.TemporaryDirectory(prefix='fanet_ros_benchmark_') as folder:
            for number, (name, source) in enumerate(sources.items()):
                with RunFolder(Path(folder) / str(number)) as run:
                    trainer = Trainer(new_network(metadata, recipe.seed), metadata, source, recipe, run, str(settings.device))
                cases.append(Case(name, partial(trainer.run_unsaved, ITERATIONS[kind]), ITERATIONS[kind] * batch))
            rows = [timing.as_dict() for timing in take_turns(cases, settings.rounds, PACE[kind])]
        results.append({'suite': 'training', 'variant': variant, 'height': height, 'width': width, 'batch': batch,
                        'rows': [{**row, 'images_per_second': 1e3 / row['median_ms']} for row in rows]})
    return results
