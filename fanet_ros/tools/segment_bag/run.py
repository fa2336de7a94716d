# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment the images of a bag and write the bag with their masks."""
from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Sequence

from rosbags.rosbag2 import StoragePlugin
from tqdm import tqdm

from fanet_ros.bags.camera_reader import CameraReader
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.topics import Camera, choose_cameras
from fanet_ros.inference import Segmenter, SegmenterOptions
from fanet_ros.inference.device import choose_device
from fanet_ros.inference.engines import require_engine
from fanet_ros.tools.segment_bag.journal import Journal
from fanet_ros.tools.segment_bag.output import write_bag
from fanet_ros.tools.segment_bag.segmented import segmented

STORAGES = {'input': None, 'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}


def segment_bag(arguments: argparse.Namespace, partial: Path) -> str:
    """Segment the bag; returns a summary line.

    :raises BagError: unusable input, topics or output
    :raises SegmentationError: unusable checkpoint, device or resolution
    """
    output = arguments.output
    if output.exists():
        raise BagError(f'{output} already exists: remove it or choose another OUT')
    require_engine(choose_device(arguments.device), arguments.engine, arguments.precision)
    with CameraReader(arguments.input) as bag:
        cameras = choose_cameras(bag.list_topics(), arguments.topics)
        drop = bag.node_outputs()
        height, width = arguments.resolution
        options = SegmenterOptions.taken_from(arguments, input_height=height, input_width=width)
        segmenter = Segmenter.from_checkpoint(arguments.checkpoint, options)
        settings = {
            **bag.fingerprint(), 'topics': [[camera.topic, camera.mask_topic] for camera in cameras],
            'checkpoint': _identity(arguments.checkpoint), 'precision': arguments.precision, 'engine': arguments.engine,
            'calibration_images': arguments.calibration_images, 'classes': list(segmenter.class_map.names),
            'resolution': [segmenter.input_height, segmenter.input_width]}
        with Journal(partial, settings) as journal:
            total = bag.count(cameras)
            print(f'{segmenter.description}\n' + '\n'.join(f'{item.topic} -> {item.mask_topic}' for item in cameras)
                  + (f'\nleft out, topics of a recorded segmentation node: {", ".join(drop)}' if drop else '')
                  + (f'\nresuming after {journal.done} of {total} images' if journal.done else ''), file=sys.stderr)
            _segment(bag, cameras, segmenter, journal, total, arguments.quiet)
            masks = _finish(bag, cameras, segmenter, journal, drop, arguments)
            reasons = ', '.join(f'{count} {reason}' for reason, count in sorted(journal.reasons.items()))
            journal.remove()
    return f'{output}: {masks} masks' + (f'; images without a mask, kept unmodified: {reasons}' if reasons else '')


def _segment(bag: CameraReader, cameras: Sequence[Camera], segmenter: Segmenter, journal: Journal, total: int,
             quiet: bool) -> None:
    """Segment all images that are not in the journal yet.

    :raises BagError: some cannot be read
    """
    progress = tqdm(total=total, initial=journal.done, unit='frame', desc='segment', disable=quiet, smoothing=0.05)
    with progress:
        for image, segmentation in segmented(bag.images(cameras, journal.done), segmenter):
            if segmentation is None:
                journal.add_reason(image.reason)
            else:
                journal.add_mask(segmentation.labels)
            progress.update()
    if journal.done < total:        # reading stops silently at some kinds of damage
        raise BagError(f'{bag.path}: only {journal.done} of its {total} images can be read: one of its files is damaged; ros2 bag '
                       'reindex repairs some')


def _finish(bag: CameraReader, cameras: Sequence[Camera], segmenter: Segmenter, journal: Journal, drop: Sequence[str],
            arguments: argparse.Namespace) -> int:
    """Write the bag to the partial folder, then move it into place in one step; returns the number of masks."""
    made = journal.folder / 'bag' / arguments.output.name       # the files in a bag are named after their folder
    shutil.rmtree(made.parent, ignore_errors=True)              # left by an interrupted run
    with tqdm(total=bag.message_count, unit='message', desc='write', disable=arguments.quiet) as progress:
        masks = write_bag(made, bag, cameras, journal.masks(), segmenter.class_map, drop, STORAGES[arguments.storage],
                          progress.update, as_png=arguments.masks == 'png')
    if arguments.output.exists():
        raise BagError(f'{arguments.output} appeared meanwhile: remove it and run the same command again')
    os.rename(made, arguments.output)
    return masks


def _identity(checkpoint: str) -> list[Any]:
    path = Path(checkpoint).expanduser()
    return [str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else [checkpoint]
