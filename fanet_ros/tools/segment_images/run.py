# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment images or a video and write masks, overlays and a contact sheet."""
from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

import cv2
import numpy as np
from tqdm import tqdm

from fanet_ros.bags.recording import SegmentedFrame
from fanet_ros.images.files import IMAGE_SUFFIXES, read_bgr, write_jpeg
from fanet_ros.images.folder_bit_depth import FolderBitDepth
from fanet_ros.images.png_palette import with_palette
from fanet_ros.inference import ClassMap, Segmenter, SegmenterOptions, draw_overlay
from fanet_ros.natural_order import natural_key
from fanet_ros.sources import SourceError, open_source
from fanet_ros.visualization.contact_sheet import SheetRow, draw_contact_sheet
from fanet_ros.visualization.overlay_video import OverlayVideo

SHEET_ROWS = 6
JPEG_QUALITY = 92
DEFAULT_RATE_HZ = 15.0      # for a video that does not state its rate


@dataclass(frozen=True)
class _Inputs:
    """Named frames to segment, None where unreadable. `rate_hz`: of a video; None for images."""

    frames: Iterator[tuple[str, Optional[np.ndarray]]]
    length: Optional[int]
    rate_hz: Optional[float]


def segment_images(arguments: argparse.Namespace) -> str:
    """Segment the input and write the results; returns a summary line.

    :raises SourceError: the input has nothing readable, or results would replace it
    :raises SegmentationError: unusable checkpoint, device or scale
    :raises OSError: a result cannot be written
    """
    inputs = _open(arguments.input, arguments.output)
    segmenter = Segmenter.from_checkpoint(arguments.checkpoint, SegmenterOptions.taken_from(arguments))
    print(segmenter.description, file=sys.stderr)
    output, class_map = arguments.output, segmenter.class_map
    is_video = inputs.rate_hz is not None
    wanted = {'masks': not is_video or arguments.masks, 'overlay': not is_video}
    for name in (name for name, is_wanted in wanted.items() if is_wanted):
        (output / name).mkdir(parents=True, exist_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    rows = _Spread()
    done = unreadable = 0
    with ExitStack() as stack:
        video = None
        if inputs.rate_hz is not None:
            video = stack.enter_context(OverlayVideo(output / 'overlay.mp4', class_map, inputs.rate_hz))
        bar = stack.enter_context(tqdm(total=inputs.length, unit='frame', disable=arguments.quiet or None))
        for name, rgb in inputs.frames:
            bar.update()
            if rgb is None:
                print(f'{name} is not a readable image: skipped', file=sys.stderr)
                unreadable += 1
                continue
            stamp_s = None if inputs.rate_hz is None else done / inputs.rate_hz
            labels = segmenter.segment(rgb, stamp_s=stamp_s).labels
            overlay = draw_overlay(rgb, labels, class_map.palette(), arguments.alpha)
            frame = SegmentedFrame(done, rgb, labels, overlay, None)
            if wanted['masks']:
                write_mask(output / 'masks' / f'{name}.png', labels, class_map)
            if video is None:
                write_jpeg(output / 'overlay' / f'{name}.jpg', overlay, JPEG_QUALITY)
            else:
                video.add(frame)
            rows.add(SheetRow(frame, name if stamp_s is None else f'{stamp_s:.1f} s'))
            done += 1
    if not done:
        raise SourceError(f'{arguments.input} has nothing readable: expected images '
                          f'({", ".join(IMAGE_SUFFIXES)}) or a video')
    (output / 'class_map.yaml').write_text(class_map.to_yaml())
    sheet = draw_contact_sheet(rows.some(SHEET_ROWS), class_map, segmenter.checkpoint_name, arguments.input.absolute().name)
    write_jpeg(output / 'contact_sheet.jpg', sheet, JPEG_QUALITY)
    return f'{output}: {done} segmented' + (f', {unreadable} could not be read' if unreadable else '')


def _open(path: Path, output: Path) -> _Inputs:
    """:raises SourceError: the input has nothing readable, or results in `output` would replace it."""
    results = [output.resolve() / name for name in ('contact_sheet.jpg', 'masks', 'overlay', 'overlay.mp4')]
    if {path.resolve(), path.resolve().parent} & set(results):
        raise SourceError(f'{path} is where {output} has its results, which would replace it: choose another --output')
    if path.is_dir():
        paths = sorted((item for item in path.iterdir() if item.suffix.lower() in IMAGE_SUFFIXES and item.resolve() != results[0]),
                       key=lambda item: natural_key(item.name))
    else:
        paths = [path] if path.suffix.lower() in IMAGE_SUFFIXES else []
    if paths or path.is_dir():
        stems, files = Counter(item.stem for item in paths), {item.name for item in paths}
        named = [(item.name if stems[item.stem] > 1 or item.stem in files else item.stem, item) for item in paths]
        depth = FolderBitDepth(paths)
        return _Inputs(((name, _read(item, depth)) for name, item in named), len(paths), None)
    source = open_source(str(path))
    return _Inputs(((f'{frame.index:06d}', frame.rgb) for frame in source), source.length, source.rate_hz or DEFAULT_RATE_HZ)


def _read(path: Path, bit_depth: FolderBitDepth) -> Optional[np.ndarray]:
    """Read (H, W, 3) uint8 RGB, rotated as EXIF says; None if it is not an image."""
    bgr = read_bgr(path, bit_depth)
    return None if bgr is None else cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


class _Spread:
    """Keeps a few evenly spaced rows of a stream of unknown length."""

    def __init__(self) -> None:
        self._rows: list[SheetRow] = []
        self._seen, self._step = 0, 1

    def add(self, row: SheetRow) -> None:
        if self._seen % self._step == 0:
            self._rows.append(row)
            if len(self._rows) > 4 * SHEET_ROWS:
                self._rows, self._step = self._rows[::2], 2 * self._step
        self._seen += 1

    def some(self, number: int) -> list[SheetRow]:
        last = len(self._rows) - 1
        return [self._rows[place] for place in sorted({round(last * part / max(number - 1, 1)) for part in range(number)})]


def write_mask(path: Path, labels: np.ndarray, class_map: ClassMap) -> None:
    """Write (H, W) uint8 as an 8-bit PNG: the values are the labels, the palette holds the class colours."""
    path.write_bytes(with_palette(cv2.imencode('.png', labels)[1].tobytes(), class_map.palette()))
