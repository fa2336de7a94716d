# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of a training or an evaluation: a folder with a page, plots and figures."""
from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional, Sequence

import cv2
import numpy as np
from PIL import Image

from fanet_ros.atomic_file import write_json, write_text
from fanet_ros.datasets import UNLABELLED
from fanet_ros.evaluation.evaluation import Evaluation, FrameScore
from fanet_ros.evaluation.plots import draw_class_iou, draw_confusion, draw_resolutions
from fanet_ros.images.files import write_jpeg
from fanet_ros.images.lettering import write
from fanet_ros.inference import ClassMap, color_labels, draw_legend
from fanet_ros.strict_json import without_nan

TILE_WIDTH_PX = 360
CAPTION_PX = 24
JPEG_QUALITY = 88
WRONG_RGB = (220, 20, 20)


def write_report(folder: Path, title: str, class_map: ClassMap, evaluations: Sequence[Evaluation],
                 history: Optional[Path] = None, recipe: str = '', shown: int = 0) -> Path:
    """Write index.md with its images, and figures.json, into `folder`; returns the path of index.md.

    :param evaluations: at one or several resolutions; may be empty
    :param shown: index of the one that is drawn in full
    :param history: image of the training curves
    :param recipe: YAML of the training
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    if history is not None and history.is_file():
        shutil.copyfile(history, folder / 'history.png')
        images.append(('Training', 'history.png'))
    if len(evaluations) > 1:
        draw_resolutions([(_size(item), item.input_width * item.input_height, item.mean_iou) for item in evaluations],
                         folder / 'resolutions.png')
        images.append(('Resolutions', 'resolutions.png'))
    if evaluations:
        images += _draw_evaluation(folder, evaluations[shown], class_map)
    text = [f'# {title}', '']
    text += [table(evaluations, class_map) if evaluations else 'Without validation data there are no figures.', '']
    for caption, name in images:
        text += [f'## {caption}', '', f'![{caption}]({name})', '']
    if recipe:
        text += ['## Recipe', '', '```yaml', recipe.rstrip(), '```', '']
    write_text(folder / 'index.md', '\n'.join(text))
    content = [figures(item, class_map) for item in evaluations]
    write_json(folder / 'figures.json', content)
    return folder / 'index.md'


def _draw_evaluation(folder: Path, evaluation: Evaluation, class_map: ClassMap) -> list[tuple[str, str]]:
    """Draw one evaluation in full; returns caption and file name of each image."""
    size = _size(evaluation)
    title = f'{size}: mIoU {100 * evaluation.mean_iou:.1f}'
    draw_class_iou(class_map.names, evaluation.class_iou, title, folder / 'class_iou.png')
    draw_confusion(class_map.names, evaluation.confusion, folder / 'confusion.png')
    for name, scores in (('worst', evaluation.worst), ('best', evaluation.best)):
        write_jpeg(folder / f'{name}.jpg', draw_frames(scores, class_map), JPEG_QUALITY)
    return [(f'IoU by class at {size}', 'class_iou.png'), (f'Confusion at {size}', 'confusion.png'),
            (f'Worst frames at {size}: image, true labels, predicted labels, wrong pixels', 'worst.jpg'),
            (f'Best frames at {size}', 'best.jpg')]


def _size(evaluation: Evaluation) -> str:
    return f'{evaluation.input_width}x{evaluation.input_height}'


def figures(evaluation: Evaluation, class_map: ClassMap) -> Any:
    """The figures as a dict of plain values, for JSON."""
    return without_nan({
        'input_height': evaluation.input_height, 'input_width': evaluation.input_width, 'frames': evaluation.frames,
        'mean_iou': evaluation.mean_iou, 'pixel_accuracy': evaluation.pixel_accuracy,
        'boundary_f_score': evaluation.boundary_f_score,
        'flicker': None if evaluation.flicker is None else asdict(evaluation.flicker),
        'class_iou': dict(zip(class_map.names, evaluation.class_iou))})


def table(evaluations: Sequence[Evaluation], class_map: ClassMap) -> str:
    """Markdown table: one column per resolution, all figures in percent."""
    heads = [_size(item) for item in evaluations]
    rows = [('mIoU', [item.mean_iou for item in evaluations]),
            ('pixel accuracy', [item.pixel_accuracy for item in evaluations]),
            ('boundary F', [item.boundary_f_score for item in evaluations])]
    flickers = [item.flicker for item in evaluations if item.flicker is not None]
    if flickers:
        rows += [('flicker in place', [item.in_place for item in flickers]),
                 ('of which motion', [item.of_moving_labels for item in flickers]),
                 ('flicker along motion', [item.along_motion for item in flickers])]
    rows += [(name, [item.class_iou[index] for item in evaluations]) for index, name in enumerate(class_map.names)]
    width = max(len(name) for name, _ in rows)
    lines = [f'| {"":<{width}} | ' + ' | '.join(f'{head:>9}' for head in heads) + ' |',
             f'|{"-" * (width + 2)}|' + '|'.join('-' * 10 + ':' for _ in heads) + '|']
    for name, values in rows:
        cells = [f'{100 * value:9.1f}' if np.isfinite(value) else '   absent' for value in values]
        lines.append(f'| {name:<{width}} | ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def draw_frames(scores: Sequence[FrameScore], class_map: ClassMap) -> np.ndarray:
    """One row per frame: image, true labels, predicted labels, wrong pixels in red; (H, W, 3) uint8 RGB."""
    palette = class_map.palette()
    rows = []
    for score in scores:
        wrong = (score.labels != score.truth) & (score.truth != UNLABELLED)
        errors = mark_pixels(score.rgb, wrong)
        size = TILE_WIDTH_PX, round(TILE_WIDTH_PX * score.rgb.shape[0] / score.rgb.shape[1])
        # Labels are resized before colouring, so that no colours between classes appear.
        truth, labels = (color_labels(cv2.resize(item, size, interpolation=cv2.INTER_NEAREST), palette)
                         for item in (score.truth, score.labels))
        image, errors = (cv2.resize(item, size, interpolation=cv2.INTER_AREA) for item in (score.rgb, errors))
        row = np.hstack([image, truth, labels, errors])
        caption = Image.new('RGB', (row.shape[1], CAPTION_PX), 'white')
        write(caption, 6, CAPTION_PX // 2, f'{score.name}   mIoU of its classes {100 * score.mean_iou:.1f}', 12, (0, 0, 0))
        rows += [np.asarray(caption), row]
    return np.vstack([*rows, draw_legend(class_map.names, class_map.colors, 4 * TILE_WIDTH_PX)])


def mark_pixels(rgb: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """The image `rgb` (H, W, 3) uint8 in pale grey, with the pixels of `marked` (H, W) bool in red."""
    result = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB) // 2 + 96
    result[marked] = WRONG_RGB
    return result
