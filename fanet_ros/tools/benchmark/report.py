# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark results as Markdown tables and plots."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fanet_ros.size_text import size_text
from fanet_ros.tools.significant import significant

Result = dict[str, Any]
SIZE_INCHES = (8.0, 4.5)
MENTIONED_LOAD = 0.05         # cores that other processes kept busy


def tables(results: list[Result]) -> str:
    """One Markdown table per result."""
    return '\n\n'.join(f'**{_title(result)}**\n\n{_table(result)}' for result in results)


def _title(result: Result) -> str:
    size = size_text(result['height'], result['width']) if 'height' in result else ''
    exponent = result.get('exponent')
    growth = f'time grows with n^{exponent:.2f}' if exponent is not None else ''
    what = {'network': 'network only, logits at 1/8', 'labels': 'network to full-resolution labels',
            'segmenter': 'frame to labels', 'pixels': 'cost by number of pixels', 'attention': 'cost of one attention layer',
            'batch': 'cost of a frame in a batch', 'training': 'cost of an image in training'}[result['suite']]
    who = [str(result[key]) for key in ('variant', 'checkpoint', 'engine', 'kind') if key in result]
    who += [f"batches of {result['batch']}"] if 'batch' in result else []
    others = result.get('other_busy_cores')
    disturbed = f'with other processes on {others:.1f} cores' if others is not None and others > MENTIONED_LOAD else ''
    return ', '.join(part for part in (*who, size, what, growth, disturbed) if part)


def _table(result: Result) -> str:
    is_end_to_end = result['suite'] == 'segmenter'
    is_training = result['suite'] == 'training'
    extra = [' p95 ms | p99 ms | agreement with float32 | mIoU |'] if is_end_to_end else [' images/s |'] if is_training else []
    lines = ['| | median ms | quartiles | speedup | quartiles |' + ''.join(extra),
             '|---|---|---|---|---|' + ('---|---|---|---|' if is_end_to_end else '---|' if is_training else '')]
    for row in result['rows']:
        low, high = row['quartiles_ms']
        ratio_low, ratio_high = row['ratio_quartiles']
        line = (f"| {row['name']} | {significant(row['median_ms'])} | {significant(low)} .. {significant(high)} | "
                f"{row['ratio']:.2f} | "
                f'{ratio_low:.2f} .. {ratio_high:.2f} |')
        if is_end_to_end:
            mean_iou = '' if row['mean_iou'] is None else f"{100 * row['mean_iou']:.1f}"
            line += f" {significant(row['p95_ms'])} | {significant(row['p99_ms'])} | {100 * row['agreement']:.2f}% | {mean_iou} |"
        elif is_training:
            line += f" {row['images_per_second']:.1f} |"
        lines.append(line)
    return '\n'.join(lines)


def draw_plots(results: list[Result], folder: Path) -> list[Path]:
    """Plot the results into `folder`; returns the files."""
    drawn = []
    end_to_end = [result for result in results if result['suite'] == 'segmenter']
    for result in end_to_end:
        suffix = size_text(result['height'], result['width'])
        drawn += [_stages(result, folder / f'stages_{suffix}.png'), _histogram(result, folder / f'latency_{suffix}.png')]
    if any(row['mean_iou'] is not None for result in end_to_end for row in result['rows']):
        drawn.append(_accuracy(end_to_end, folder / 'accuracy_speed.png'))
    for suite, key, label in (('pixels', 'pixels', 'pixels'), ('attention', 'positions', 'positions n')):
        chosen = [result for result in results if result['suite'] == suite]
        if chosen:
            drawn.append(_growth(chosen, key, label, folder / f'{suite}.png'))
    for result in results:
        if result['suite'] in ('network', 'labels'):
            name = f"{result['suite']}_{result['variant']}_{size_text(result['height'], result['width'])}.png"
            drawn.append(_ratios(result, folder / name))
    return drawn


def _ratios(result: Result, path: Path) -> Path:
    figure, axes = _panel()
    rows = result['rows'][::-1]
    bars = axes.barh([row['name'] for row in rows], [row['ratio'] for row in rows])
    axes.bar_label(bars, [f"{row['ratio']:.2f}x, {row['median_ms']:.0f} ms" for row in rows], padding=4)
    axes.set(xlabel=f"speedup over {result['rows'][0]['name']}", title=_title(result))
    axes.margins(x=0.25)
    return _save(figure, path)


def _growth(results: list[Result], key: str, label: str, path: Path) -> Path:
    figure, axes = _panel()
    for result in results:
        name = result.get('engine') or result['kind']
        exponent = '' if result['exponent'] is None else f", n^{result['exponent']:.2f}"
        axes.loglog([row[key] for row in result['rows']], [row['median_ms'] for row in result['rows']], 'o-',
                    label=f'{name}{exponent}')
    axes.set(xlabel=label, ylabel='median time [ms]')
    axes.grid(True, which='both', alpha=0.3)
    axes.legend()
    return _save(figure, path)


def _stages(result: Result, path: Path) -> Path:
    figure, axes = _panel()
    names = [row['name'] for row in result['rows']][::-1]
    left = [0.0] * len(names)
    for stage in result['rows'][0]['stages_ms']:
        widths = [row['stages_ms'][stage] for row in result['rows']][::-1]
        axes.barh(names, widths, left=left, label=stage[:-len('_ms')])
        left = [start + width for start, width in zip(left, widths)]
    axes.set(xlabel='median time [ms]', title=_title(result))
    axes.legend()
    return _save(figure, path)


def _histogram(result: Result, path: Path) -> Path:
    figure, axes = _panel()
    for row in result['rows']:
        axes.hist(row['latencies_ms'], bins=30, histtype='step', label=f"{row['name']}, p99 {row['p99_ms']:.0f} ms")
    axes.set(xlabel='frame to labels [ms]', ylabel='frames', title=_title(result))
    axes.legend()
    return _save(figure, path)


def _accuracy(results: list[Result], path: Path) -> Path:
    figure, axes = _panel()
    for result in results:
        for row in result['rows']:
            axes.plot(1e3 / row['median_ms'], 100 * row['mean_iou'], 'o',
                      label=f"{row['name']}, {size_text(result['height'], result['width'])}")
    axes.set(xlabel='frames per second, frame to labels', ylabel='mIoU [%]')
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize='small')
    return _save(figure, path)


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(SIZE_INCHES, layout='tight')
    return figure, figure.subplots()


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    return path
