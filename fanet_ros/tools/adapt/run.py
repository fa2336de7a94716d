# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `adapt` command: gather the frames, adapt, judge the result, write checkpoint and report."""
from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import torch
from tqdm import tqdm

from fanet_ros.datasets.source_frames import SourceRequest
from fanet_ros.datasets.teachers import is_onnx
from fanet_ros.evaluation.label_free import Comparison, TeacherLabels, compare
from fanet_ros.evaluation.verdict import Verdict, judge, teacher_fits
from fanet_ros.evaluation.views import FramePair, Predictions, predict_views
from fanet_ros.inference import ClassMap
from fanet_ros.inference.device import choose_device
from fanet_ros.model import Checkpoint, CheckpointMetadata, load_checkpoint, resolve_checkpoint, save_checkpoint
from fanet_ros.model.checkpoint_files import display_name
from fanet_ros.tools.adapt.drive import Drive, gather_drive
from fanet_ros.tools.adapt.drive_teacher import DriveTeacher, find_teacher
from fanet_ros.tools.adapt.report import write_report
from fanet_ros.tools.adapt.stages import Stages
from fanet_ros.tools.adapt.work_folder import LABELS, TEACHER, check_settings, with_checksum
from fanet_ros.training.run_folder import RunFolder


def adapt(arguments: argparse.Namespace) -> bool:
    """Run the command; returns whether the adapted checkpoint was written.

    :raises ValueError: unusable source, checkpoint or labels
    :raises OSError: a file cannot be written
    """
    cv2.setNumThreads(1)        # the loader has its own threads
    device = choose_device(arguments.device)
    start = load_checkpoint(arguments.checkpoint)
    _check(arguments, start.metadata)
    work: Path = arguments.work
    with RunFolder(work):       # locked: two runs would mix their frames
        class_map = ClassMap.of_checkpoint(start.metadata)
        teacher = find_teacher(arguments, class_map.names, device)
        check_settings(work, _settings(arguments, teacher))
        request = SourceRequest(arguments.source, arguments.frames, 1, class_map, arguments.image_topic, with_labels=False)
        drive = gather_drive(work / 'frames', request, start.metadata.training_resolution, quiet=arguments.quiet)
        print(f'{drive.frames.count} frames of {drive.source}: {len(drive.learnt)} for adapting, {len(drive.held_out)} for judging')
        stages = Stages(start, drive, work, device, arguments, teacher)
        taught = None if teacher is None else teacher.judging(drive)
        pairs = drive.held_out_pairs
        views = partial(_views, pairs, device, arguments.quiet)
        original = [] if taught is None else views('the original', start)
        if taught is not None and not arguments.force and not _fits(original, taught):
            return False
        adapted = stages.run()
        before, after = original or views('the original', start), views('the adapted', adapted)
        comparison = compare(before, after, start.metadata.num_classes, taught)
        verdict = judge(comparison, start.metadata.class_names)
        metadata = _metadata(start.metadata, drive, comparison, stages.labelled_count, adapted.metadata.recipe, arguments)
        index = write_report(work / 'report', drive, pairs, (before, after), comparison, verdict, class_map, metadata.recipe)
        _announce(verdict, arguments, index)
        if not verdict.is_better and not arguments.force:
            return False
        save_checkpoint(arguments.output, adapted.network.cpu(), metadata)
        print(f'checkpoint: {arguments.output}\nin a running node: ros2 param set /segmentation checkpoint '
              f'{arguments.output.resolve()}')
        return True


def _views(pairs: Sequence[FramePair], device: torch.device, quiet: bool, name: str, checkpoint: Checkpoint) -> list[Predictions]:
    return predict_views(checkpoint, tqdm(pairs, desc=f'judging {name}', unit='frame', disable=quiet), device)


def _fits(original: Sequence[Predictions], taught: TeacherLabels) -> bool:
    """Whether the teacher fits the drive, before minutes are spent on learning from it; says so if not."""
    agreement = compare(original, original, len(taught.known), taught).teacher
    assert agreement is not None
    fits, text = teacher_fits(agreement)
    if not fits:
        print(f'{text}: does it know such places, and are --teacher-classes and --teacher-rename right? No checkpoint was written')
    return fits


def _announce(verdict: Verdict, arguments: argparse.Namespace, index: Path) -> None:
    print('\n'.join([f'report: {index}', *(f'  {reason}' for reason in verdict.reasons)]))
    if not verdict.is_better:
        print('the checks failed, written anyway because of --force' if arguments.force else
              f'the checks failed: keep using {arguments.checkpoint}; nothing was written')


def _check(arguments: argparse.Namespace, metadata: CheckpointMetadata) -> None:
    if metadata.temporal_frames > 1:
        raise ValueError(f'{arguments.checkpoint} is a video network, which adapt does not support: choose another checkpoint')
    if arguments.teacher and not is_onnx(arguments.teacher) and (
            resolve_checkpoint(arguments.teacher).resolve() == resolve_checkpoint(arguments.checkpoint).resolve()):
        raise ValueError('--teacher is the checkpoint to adapt: it would lose by its own labels, choose a better network')
    if arguments.output.exists() and arguments.output.resolve() == resolve_checkpoint(arguments.checkpoint).resolve():
        raise ValueError(f'--output is the checkpoint to adapt, {arguments.output}: choose another file')


def _settings(arguments: argparse.Namespace, teacher: Optional[DriveTeacher]) -> dict[str, Any]:
    """Everything that the result depends on, as plain values."""
    names = ('frames', 'image_topic', 'minutes', 'iterations')
    path = Path(arguments.teacher).expanduser()
    return {'source': _absolute(arguments.source),
            'checkpoint': with_checksum(resolve_checkpoint(arguments.checkpoint), arguments.work),
            LABELS: with_checksum(arguments.labels, arguments.work) if arguments.labels else '',
            TEACHER: None if teacher is None else {
                'network': _absolute(arguments.teacher), 'changed_ns': path.stat().st_mtime_ns if path.is_file() else 0,
                **teacher.identity},
            **{name: getattr(arguments, name) for name in names}}


def _absolute(text: str) -> str:
    """A path as an absolute one; anything else, such as the name of a checkpoint, unchanged."""
    path = Path(text).expanduser()
    return str(path.resolve()) if text and path.exists() else text


def _metadata(metadata: CheckpointMetadata, drive: Drive, comparison: Comparison, labelled: int, method: str,
              arguments: argparse.Namespace) -> CheckpointMetadata:
    """The card of the new checkpoint. Figures of the old one are dropped: they no longer hold."""
    figures = {'drive/held_out/confident_pixels_kept': comparison.kept}
    for moment, signs in (('before', comparison.before), ('after', comparison.after)):
        figures.update({f'drive/held_out/agreement_{view}_{moment}': value for view, value in signs.agreement.items()})
        figures.update({f'drive/held_out/all_views_agree_{moment}': signs.agreed,
                        f'drive/held_out/confidence_{moment}': signs.confidence})
    if comparison.teacher is not None:
        figures.update({f'drive/held_out/agreement_teacher_{moment}': value for moment, value in (
            ('before', comparison.teacher.before), ('after', comparison.teacher.after))})
        figures['drive/held_out/confirmed_by_teacher'] = comparison.teacher.confirmed
    masks = f' and {labelled} labelled ones' if labelled else ''
    teacher = f', with labels of {display_name(arguments.teacher)}' if arguments.teacher else ''
    before = f' ({metadata.recipe})' if metadata.recipe else ''
    return replace(
        metadata, figures={key: round(value, 5) for key, value in figures.items()},
        data=f'{metadata.data}; adapted to {len(drive.learnt)} unlabelled frames of {drive.source}{masks}{teacher}'.lstrip('; '),
        recipe=f'{display_name(arguments.checkpoint)}{before}, adapted: {method}')
