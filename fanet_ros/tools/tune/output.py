# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The files that `tune` writes: report, plot and the parameter file of the chosen candidate."""
from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from fanet_ros.atomic_file import write_json, write_text
from fanet_ros.choices import MAX_LATENCY_BUDGET_MS
from fanet_ros.host.machine import one_line
from fanet_ros.images.transport_format import COMPRESSED_SUFFIX
from fanet_ros.tools.significant import significant
from fanet_ros.tools.tune.choice import MB_OF_MIB, remedy
from fanet_ros.tools.tune.params import parameter_file
from fanet_ros.tools.tune.plot import draw_plot
from fanet_ros.tools.tune.report import Findings, content, failures, markdown, notes, table

PARAMETER_FILE = 'tuned.param.yaml'


def write_findings(findings: Findings, parameters: dict[str, Any], device: str, folder: Path) -> str:
    """Write report, plot and parameter file; returns the text to print.

    :param parameters: of the node, to start from
    :param device: as requested, '': as in `parameters`
    :raises OSError: `folder` cannot be written
    """
    verdict = in_words(findings)
    values = tuned(findings, parameters, device, folder)
    write_text(folder / PARAMETER_FILE, parameter_file(values, _comment(findings, verdict)))
    write_text(folder / 'tune.md', markdown(findings, verdict))
    write_json(folder / 'tune.json', content(findings))
    draw_plot(findings, folder / 'tune.png')
    return '\n'.join((table(findings), *notes(findings), *failures(findings.rows), '', verdict, '',
                      f'{folder}: {PARAMETER_FILE}, tune.md, tune.json, tune.png', launch_command(findings, folder)))


def in_words(findings: Findings) -> str:
    """The choice in one line, with WARN if it exceeds the budget."""
    choice, budget = findings.choice, findings.budget
    assert choice is not None       # the run fails earlier if nothing could be measured
    row = choice.row
    figures = (f'{row.candidate.title}: p95 {row.p95_ms:.1f} ms, {row.fps:.1f} fps, '
               f'{row.device_memory_mib * MB_OF_MIB:.0f} MB, {findings.quality_name} {100 * row.mean_iou:.1f}%')
    if choice.fits:
        return f'chosen: {figures}'
    limits = f'{significant(budget.limit_ms, 4)} ms' + (f' and {budget.memory_mb:g} MB' if budget.memory_mb is not None else '')
    return f'WARN: nothing fits {limits}; the fastest is {figures}. Try {remedy(choice, budget, findings.rows)}.'


def tuned(findings: Findings, parameters: dict[str, Any], device: str, folder: Path) -> dict[str, Any]:
    """`parameters`, updated with the chosen candidate."""
    assert findings.choice is not None
    item = findings.choice.row.candidate
    budget_ms = min(max(round(float(findings.budget.latency_ms), 3), 0.001), MAX_LATENCY_BUDGET_MS)      # 0 would mean no budget
    values = {**parameters, 'checkpoint': item.checkpoint, 'variant': 'auto', 'engine': item.engine,
              'precision': item.precision, 'input_height': item.height, 'input_width': item.width, 'input_scale': 1.0,
              'latency_budget_ms': budget_ms}
    if device:
        values['device'] = device
    if item.precision == 'int8':
        values['calibration_images'] = str(findings.frames.images.resolve())
    if findings.frames.image_topic:
        values['image_transport'] = 'compressed' if findings.frames.image_topic.endswith(COMPRESSED_SUFFIX) else 'raw'
    return values


def launch_command(findings: Findings, folder: Path) -> str:
    """Command that starts the node with the tuned file and, if the source was a bag, its image topic."""
    topic = findings.frames.image_topic.removesuffix(COMPRESSED_SUFFIX)
    command = ['ros2', 'launch', 'fanet_ros', 'segmentation.launch.py',
               f'params_file:={(folder / PARAMETER_FILE).resolve()}', *([f'image_topic:={topic}'] if topic else [])]
    return shlex.join(command)


def _comment(findings: Findings, verdict: str) -> str:
    frames = findings.frames
    return (f'Parameters of the segmentation node, chosen by `ros2 run fanet_ros tune` on {findings.date}.\n'
            f'Machine: {one_line(findings.machine)}.\n'
            f'Source: {findings.source}, {frames.count} frames of {frames.width}x{frames.height}.\n'
            f'Budget: {findings.budget.description}.\n{verdict}\n{findings.quality_in_words}.')
