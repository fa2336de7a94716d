# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Report of an adaptation: the checks, and images of where labels changed on the held-out frames."""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Sequence

import cv2
import numpy as np

from fanet_ros.atomic_file import write_json
from fanet_ros.evaluation.label_free import Comparison
from fanet_ros.evaluation.report import TILE_WIDTH_PX, mark_pixels
from fanet_ros.evaluation.verdict import Verdict
from fanet_ros.evaluation.views import FramePair, Predictions
from fanet_ros.images.files import write_jpeg
from fanet_ros.inference import ClassMap, color_labels, draw_legend
from fanet_ros.strict_json import without_nan
from fanet_ros.tools.adapt.drive import Drive

SHOWN = 6


def write_report(folder: Path, drive: Drive, pairs: Sequence[FramePair], predictions: tuple[Sequence[Predictions], ...],
                 comparison: Comparison, verdict: Verdict, class_map: ClassMap, recipe: str) -> Path:
    """Write index.md, checks.json and before_after.jpg; returns the path of index.md.

    :param pairs: the held-out frames
    :param predictions: for these frames, by the original and by the adapted network
    :raises OSError: `folder` cannot be written
    """
    folder.mkdir(parents=True, exist_ok=True)
    triples = list(zip(pairs, *predictions))
    triples.sort(key=lambda item: -float((item[1].labels != item[2].labels).mean()))
    rows = [_row(pair.rgb, before, after, class_map) for pair, before, after in triples[:SHOWN]]
    height, width = rows[0].shape[:2]
    rows = [row if row.shape[1] == width else cv2.resize(row, (width, height)) for row in rows]
    sheet = np.vstack([*rows, draw_legend(class_map.names, class_map.colors, width)])
    write_jpeg(folder / 'before_after.jpg', sheet, 88)
    content = {**asdict(comparison), 'is_better': verdict.is_better, 'reasons': verdict.reasons, 'classes': class_map.names}
    write_json(folder / 'checks.json', without_nan(content))
    index = folder / 'index.md'
    outcome = 'All checks passed.' if verdict.is_better else 'A check failed: keep using the original checkpoint.'
    index.write_text('\n'.join([
        f'# Adapted to {drive.source}', '',
        f'{len(drive.learnt)} frames for adapting, {len(drive.held_out)} others for judging.', '',
        'No labels were used: the checks are indications, not accuracy.', '',
        f'**{outcome}**', '', *(f'- {reason}' for reason in verdict.reasons), '',
        _consistency_table(comparison), '', _class_table(comparison, class_map), '',
        '## Frames that changed most', '', 'Camera, before, after, and in red where labels differ.', '',
        '![before and after](before_after.jpg)', '', '## Recipe', '', recipe, '']), encoding='utf-8')
    return index


def _consistency_table(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    rows = [(f'agreement with the view {view!r}', value, after.agreement[view]) for view, value in before.agreement.items()]
    if comparison.teacher is not None:
        rows.append(('agreement with the teacher', comparison.teacher.before, comparison.teacher.after))
    rows += [('pixels in which all views agree', before.agreed, after.agreed),
             ('mean confidence', before.confidence, after.confidence)]
    return '\n'.join(['| % | before | after |', '|---|---:|---:|',
                      *(f'| {name} | {100 * old:.1f} | {100 * new:.1f} |' for name, old, new in rows),
                      f'| confident pixels that keep their label | | {100 * comparison.kept:.1f} |',
                      f'| pixels whose label changed | | {100 * comparison.changed:.1f} |'])


def _class_table(comparison: Comparison, class_map: ClassMap) -> str:
    columns = zip(class_map.names, comparison.before.class_shares, comparison.after.class_shares, comparison.kept_by_class)
    return '\n'.join(['| % of the pixels | before | after | confident before, and kept |', '|---|---:|---:|---:|',
                      *(f'| {name} | {100 * old:.2f} | {100 * new:.2f} | {"" if np.isnan(kept) else f"{100 * kept:.1f}"} |'
                        for name, old, new, kept in columns)])


def _row(rgb: np.ndarray, before: Predictions, after: Predictions, class_map: ClassMap) -> np.ndarray:
    size = TILE_WIDTH_PX, round(TILE_WIDTH_PX * rgb.shape[0] / rgb.shape[1])
    image = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    # Labels are resized before colouring, so that no colours between classes appear.
    old, new = (cv2.resize(item.labels, size, interpolation=cv2.INTER_NEAREST) for item in (before, after))
    return np.hstack([image, *(color_labels(item, class_map.palette()) for item in (old, new)), mark_pixels(image, old != new)])
