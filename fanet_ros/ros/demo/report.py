# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Creates all results of the demo from the recorded bag alone."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import cv2
import numpy as np

from fanet_ros.bags.frame_reader import FrameReader
from fanet_ros.bags.latency import rate_hz
from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.evaluation.agreement import AgreementCounter
from fanet_ros.inference import ClassMap
from fanet_ros.ros.demo.environment import DemoError
from fanet_ros.ros.demo.output import DemoOutput
from fanet_ros.ros.demo.page import write_page
from fanet_ros.ros.demo.progress import progress_bar
from fanet_ros.ros.demo.summary import DemoSummary, summarize
from fanet_ros.visualization.contact_sheet import SheetRow, draw_contact_sheet
from fanet_ros.visualization.overlay_video import OverlayVideo

SHEET_ROWS = 7


@dataclass(frozen=True)
class Subject:
    """What was recorded. `true_labels_fit`: whether the ground truth in the bag uses the checkpoint's classes."""

    source: str
    checkpoint: str
    class_map: ClassMap
    true_labels_fit: bool


def make_report(output: DemoOutput, subject: Subject) -> DemoSummary:
    """Read the bag; write contact sheet, video, summary and page; return the summary.

    :raises DemoError: the bag has no mask with its camera frame, or a file cannot be written
    """
    with FrameReader(output.bag) as recording:
        masks = recording.images.get(recording.topics.mask, [])
        shown = _joined_stamps(recording)
        if not shown:
            raise DemoError(
                f'{output.bag} contains no mask with its camera frame: see the logs in {output.logs}')
        counter = AgreementCounter(subject.class_map.names)
        rows: list[SheetRow] = []
        on_sheet = set(evenly_spaced(shown, SHEET_ROWS))
        ages_ms = {timing.stamp_ns: timing.frame_age_ms for timing in recording.timings}
        start_ns = recording.images[recording.topics.camera][0].stamp_ns
        fps = rate_hz([mask.received_ns for mask in masks])
        frames = progress_bar('reading the bag', iterable=recording.frames(), total=len(shown), unit='frame')
        with OverlayVideo(output.video, subject.class_map, fps) as video:
            for frame in frames:
                agreement = _agreement(counter, frame) if subject.true_labels_fit else None
                video.add(frame)
                if frame.stamp_ns in on_sheet:
                    seconds = (frame.stamp_ns - start_ns) / 1e9
                    rows.append(SheetRow(frame, f'{seconds:.2f} s', ages_ms.get(frame.stamp_ns), agreement))
        summary = summarize(
            recording, counter.result(), class_count=len(subject.class_map), source=subject.source,
            checkpoint=subject.checkpoint)
        timings = recording.timings
    title = f'{subject.source} segmented by {subject.checkpoint}'
    sheet = draw_contact_sheet(rows, subject.class_map, title, _subtitle(summary))
    _write_png(output.contact_sheet, sheet)
    output.summary.write_text(summary.to_json(), encoding='utf-8')
    write_page(output, title, summary, timings)
    return summary


def evenly_spaced(values: list[int], count: int) -> list[int]:
    """Up to `count` of the values, evenly spaced, with a margin at both ends."""
    positions = (np.arange(count) + 0.5) * len(values) / count
    return values if len(values) <= count else [values[int(position)] for position in positions]


def _joined_stamps(recording: FrameReader) -> list[int]:
    camera = {image.stamp_ns for image in recording.images.get(recording.topics.camera, [])}
    masks = {mask.stamp_ns for mask in recording.images.get(recording.topics.mask, [])}
    return sorted(camera & masks)


def _agreement(counter: AgreementCounter, frame: SegmentedFrame) -> Optional[float]:
    return None if frame.truth is None else counter.add(frame.truth, frame.labels)


def _subtitle(summary: DemoSummary) -> str:
    height, width = summary.network_size
    parts = [f'{summary.mask_hz:.1f} masks/s', f'network at {width}x{height}']
    if summary.latencies:
        parts.append(f'camera to mask {summary.latencies[-1].p50_ms:.0f} ms (median)')
    if summary.agreement:
        parts.append(f'{summary.agreement.pixel_agreement:.1%} of the pixels agree with the ground truth')
    return '  ·  '.join(parts)


def _write_png(path: Path, rgb: np.ndarray) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)):
        raise DemoError(f'cannot write {path}')
