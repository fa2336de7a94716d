# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Results of a demo run: figures for a JSON file and as a table for the terminal."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Optional

from fanet_ros.bags.checks import BagChecks, check_bag
from fanet_ros.bags.frame_reader import FrameReader
from fanet_ros.bags.latency import StageLatency, rate_hz, stage_latencies
from fanet_ros.evaluation.agreement import Agreement
from fanet_ros.strict_json import without_nan


@dataclass(frozen=True)
class DemoSummary:
    """Figures measured from the bag alone; sizes are (height, width) in px.

    `frames_before_discovery`: camera frames older than the first segmented one, sent before the node had discovered the camera.
    """

    source: str
    checkpoint: str
    camera_frames: int
    frames_before_discovery: int
    camera_hz: float
    image_size: tuple[int, int]
    masks: int
    mask_hz: float
    network_size: tuple[int, int]
    frames_received: int
    frames_segmented: int
    frames_dropped: int
    frames_rejected: int
    bag_bytes: int
    checks: BagChecks
    latencies: tuple[StageLatency, ...]
    agreement: Optional[Agreement]

    def to_json(self) -> str:
        """All fields as strict JSON; null stands for NaN."""
        content = asdict(self)
        content['checks']['passed'] = self.checks.passed
        return json.dumps(without_nan(content), indent=2) + '\n'


def summarize(recording: FrameReader, agreement: Optional[Agreement], *, class_count: int, source: str,
              checkpoint: str) -> DemoSummary:
    """Compute the figures of a recording."""
    camera = recording.images.get(recording.topics.camera, [])
    masks = recording.images.get(recording.topics.mask, [])
    timings = recording.timings
    last = timings[-1] if timings else None
    first_ns = min((mask.stamp_ns for mask in masks), default=0)
    return DemoSummary(
        source=source, checkpoint=checkpoint,
        camera_frames=len(camera),
        frames_before_discovery=sum(image.stamp_ns < first_ns for image in camera),
        camera_hz=rate_hz([image.received_ns for image in camera]),
        image_size=(masks[-1].height, masks[-1].width) if masks else (0, 0),
        masks=len(masks), mask_hz=rate_hz([mask.received_ns for mask in masks]),
        network_size=(last.input_height, last.input_width) if last else (0, 0),
        frames_received=last.frames_received if last else 0,
        frames_segmented=last.frames_segmented if last else 0,
        frames_dropped=last.frames_dropped if last else 0,
        frames_rejected=last.frames_rejected if last else 0,
        bag_bytes=recording.size_bytes,
        checks=check_bag(camera, masks, timings, class_count),
        latencies=stage_latencies(timings),
        agreement=agreement)


def format_summary(summary: DemoSummary) -> str:
    """The figures as tables for the terminal."""
    parts = _counts_table(summary), _latency_table(summary.latencies), _agreement_table(summary.agreement)
    return '\n\n'.join(part for part in parts if part)


def _counts_table(summary: DemoSummary) -> str:
    height, width = summary.image_size
    network_height, network_width = summary.network_size
    dropped = summary.frames_dropped / summary.frames_received if summary.frames_received else 0.0
    early = summary.frames_before_discovery
    early_text = f' ({early} before the node had discovered the camera)' if early else ''
    rows = (
        ('camera frames',
         f'{summary.camera_frames} at {summary.camera_hz:.1f} fps, {width}x{height}{early_text}'),
        ('masks',
         f'{summary.masks} at {summary.mask_hz:.1f} fps, network at {network_width}x{network_height}'),
        ('frames dropped',
         (f'{summary.frames_dropped} of {summary.frames_received} ({dropped:.0%}) that the node received: '
          'a newer one arrived while it was busy')),
        ('frames rejected', f'{summary.frames_rejected}'),
        ('bag', f'{summary.bag_bytes / 1e6:.0f} MB, {_checks_text(summary.checks)}'),
    )
    return '\n'.join(f'{label:<16}{text}' for label, text in rows)


def _checks_text(checks: BagChecks) -> str:
    if not checks.masks:
        return 'INVALID: it contains no mask'
    if checks.faults:
        return 'INVALID: ' + '; '.join(f'{count} {what}' for what, count in checks.faults.items())
    early = checks.before_recording
    rest = f';\n{"":<16}{early} are older: the recorder had not discovered the camera yet' if early else ''
    return (f"valid: {checks.masks - early} masks carry a camera frame's stamp, size and frame_id, "
            f'each only once{rest}')


def _latency_table(latencies: tuple[StageLatency, ...]) -> str:
    if not latencies:
        return ''
    lines = [f'{"latency [ms]":<18}{"p50":>9}{"p95":>9}{"p99":>9}{"max":>9}']
    for row in latencies:
        times_ms = row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms
        lines.append(f'{row.stage:<18}' + ''.join(f'{time_ms:>9.1f}' for time_ms in times_ms))
    return '\n'.join(lines)


def _agreement_table(agreement: Optional[Agreement]) -> str:
    if agreement is None:
        return ''
    present = [(name, iou) for name, iou in agreement.class_iou.items() if iou is not None]
    title = (f'agreement with the ground truth over {agreement.frames} frames: '
             f'{agreement.pixel_agreement:.1%} of the pixels, mean IoU {agreement.mean_iou:.1%}')
    cells = [f'{name:<11}{iou:>7.1%}' for name, iou in present]
    lines = ['   '.join(cells[start:start + 4]) for start in range(0, len(cells), 4)]
    return '\n'.join([title, *(f'  {line}' for line in lines)])
