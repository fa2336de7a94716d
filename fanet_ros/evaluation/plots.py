# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plots of a training run and of its evaluation."""
from __future__ import annotations

from pathlib import Path
from typing import Sequence

import numpy as np
from matplotlib.figure import Figure


def draw_history(losses: Sequence[float], validation: Sequence[Sequence[float]], path: Path) -> None:
    """Loss per iteration, and mIoU [%] where it was measured; validation: [[iteration, mIoU 0..1], ...]."""
    window = max(len(losses) // 50, min(len(losses), 10), 1)
    smooth = np.convolve(losses, np.ones(window) / window, mode='valid')
    figure = Figure(figsize=(7, 4), layout='constrained')
    axes = figure.subplots()
    axes.plot(np.arange(len(losses)) + 1, losses, color='0.85', linewidth=0.6, label='loss per iteration')
    axes.plot(np.arange(len(smooth)) + window, smooth, label=f'mean of the last {window}')
    axes.set(xlabel='iteration', ylabel='loss', yscale='log')
    handles, labels = axes.get_legend_handles_labels()
    if validation:
        right = axes.twinx()
        line, = right.plot(*zip(*((number, 100 * miou) for number, miou in validation)), 'o-', color='tab:red',
                           label='validation mIoU')
        right.set_ylabel('mIoU [%]')
        handles, labels = [*handles, line], [*labels, 'validation mIoU']
    axes.legend(handles, labels, loc='lower left')
    figure.savefig(path, dpi=110)


def draw_class_iou(names: Sequence[str], class_iou: Sequence[float], title: str, path: Path) -> None:
    """Bar chart of the IoU (0..1) per class; NaN is shown as absent."""
    figure = Figure(figsize=(7, 0.32 * len(names) + 1.2), layout='constrained')
    axes = figure.subplots()
    values = 100 * np.nan_to_num(np.asarray(class_iou))
    bars = axes.barh(range(len(names)), values, color='tab:blue')
    texts = [f'{100 * iou:.1f}' if np.isfinite(iou) else 'absent' for iou in class_iou]
    axes.bar_label(bars, texts, padding=3)
    axes.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 108), xlabel='IoU [%]', title=title)
    axes.invert_yaxis()
    figure.savefig(path, dpi=110)


def draw_confusion(names: Sequence[str], counts: np.ndarray, path: Path) -> None:
    """Confusion matrix, each row (true class) in % of its pixels; columns are predicted classes; counts (C, C)."""
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(0.55 * len(names) + 2.2, 0.5 * len(names) + 1.6), layout='constrained')
    axes = figure.subplots()
    axes.imshow(share, cmap='Blues', vmin=0, vmax=100)
    for row, column in np.ndindex(share.shape):
        if share[row, column] >= 1:
            axes.text(column, row, f'{share[row, column]:.0f}', ha='center', va='center', fontsize=8,
                      color='white' if share[row, column] > 60 else 'black')
    axes.set(xticks=range(len(names)), yticks=range(len(names)), yticklabels=names, ylabel='true class',
             xlabel='predicted class [% of the true one]')
    axes.set_xticks(range(len(names)), names, rotation=60, ha='right')
    figure.savefig(path, dpi=110)


def draw_resolutions(rows: Sequence[tuple[str, float, float]], path: Path) -> None:
    """mIoU [%] against network resolution; rows: (name, pixels, mIoU 0..1)."""
    figure = Figure(figsize=(6.5, 4), layout='constrained')
    axes = figure.subplots()
    rows = sorted(rows, key=lambda row: row[1])
    axes.plot([pixels for _, pixels, _ in rows], [100 * miou for _, _, miou in rows], 'o-')
    for _, pixels, miou in rows:
        axes.annotate(f'{100 * miou:.1f}', (pixels, 100 * miou), textcoords='offset points', xytext=(0, 8), ha='center')
    axes.set(xlabel='network input [px], by area', ylabel='mIoU [%]', xscale='log')
    axes.set_xticks([pixels for _, pixels, _ in rows], [name for name, _, _ in rows])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.margins(0.1, 0.15)
    figure.savefig(path, dpi=110)
