# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of a training: the checkpoint with its figures, and the report."""
from __future__ import annotations

import math
from typing import Sequence

import yaml

from fanet_ros.datasets import Sample
from fanet_ros.evaluation.evaluation import Evaluation, evaluate
from fanet_ros.evaluation.report import table, write_report
from fanet_ros.inference import ClassMap, Segmenter, SegmenterOptions
from fanet_ros.model import Checkpoint, CheckpointMetadata, FANet
from fanet_ros.training.config import TrainingConfig, describe
from fanet_ros.training.run_folder import BEST_NAME, CHECKPOINT_NAME, RunFolder
from fanet_ros.training.trainer import Trainer


def averaged_segmenter(network: FANet, metadata: CheckpointMetadata) -> Segmenter:
    """A Segmenter of the averaged network on its own device; with engine torch, because the weights keep changing."""
    bare = metadata.build_network()
    bare.load_state_dict({name: value for name, value in network.state_dict().items() if name in bare.state_dict()})
    options = SegmenterOptions(str(next(network.parameters()).device), 'torch', 'float32')
    return Segmenter(Checkpoint(bare.eval(), metadata), options)


def finish(trainer: Trainer, folder: RunFolder, class_map: ClassMap, validation: Sequence[Sample],
           config: TrainingConfig) -> None:
    """Measure the averaged weights on `validation`, if there is any, write them and the report, and print where they are.

    :raises ValueError: the disk is full, for example
    """
    evaluations = []
    if validation:
        evaluations = [evaluate(averaged_segmenter(trainer.averaged, trainer.metadata), validation)]
        print(table(evaluations, class_map))
    measured = figures_of(evaluations[0], class_map) if evaluations else {}
    folder.keep(trainer.averaged, trainer.metadata_with(measured), best=False)
    title = f'{trainer.metadata.variant} after {trainer.iteration} iterations'
    recipe = yaml.safe_dump(_plain(describe(config)), sort_keys=False)
    index = write_report(folder.path / 'report', title, class_map, evaluations, folder.path / 'loss.png', recipe)
    print(f'report: {index}\ncheckpoint: {folder.path / CHECKPOINT_NAME}')
    if trainer.validation:
        number, miou = trainer.best
        print(f'best in validation: {folder.path / BEST_NAME}, mIoU {100 * miou:.1f} after {number} iterations')


def figures_of(evaluation: Evaluation, class_map: ClassMap) -> dict[str, float]:
    """Figures to store in the checkpoint, shares 0..1; classes that did not occur are left out."""
    figures = {'validation/mean_iou': evaluation.mean_iou, 'validation/pixel_accuracy': evaluation.pixel_accuracy,
               'validation/boundary_f_score': evaluation.boundary_f_score}
    figures.update({f'validation/iou/{name}': iou for name, iou in zip(class_map.names, evaluation.class_iou)})
    return {name: round(value, 5) for name, value in figures.items() if not math.isnan(value)}


def _plain(value: object) -> object:
    """Convert tuples to lists, since YAML has no tuples."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
