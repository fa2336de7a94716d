"""Segment the camera images of a rosbag2, offline and without ROS: the same bag comes out with masks in it.

    ros2 run fanet_ros segment_bag drive_1 drive_1_masks

Given again after an interruption the same command goes on where it stopped. The bag OUT is complete once it exists; what is
begun lies in OUT.partial.
"""
from __future__ import annotations

import argparse
import errno
import itertools
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Optional, Sequence

from rosbags.rosbag2 import StoragePlugin
from tqdm import tqdm

from fanet_ros.inference import FrameInput, Segmenter
from fanet_ros.tools.segment_bag_input import InputBag
from fanet_ros.tools.segment_bag_journal import Journal
from fanet_ros.tools.segment_bag_output import write_bag
from fanet_ros.tools.segment_bag_topics import BagTaskError, Camera, choose_cameras
from fanet_ros.tools.termination import sigterm_interrupts

STORAGES = {'input': None, 'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}


def main(argv: Optional[list[str]] = None) -> int:
    """Write the bag; returns the exit code: 0, 1 with one line on stderr, or 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    partial = arguments.output.with_name(arguments.output.name + '.partial')
    try:
        with sigterm_interrupts():
            print(segment_bag(arguments, partial))
    except KeyboardInterrupt:
        print(f'\nstopped; the same command goes on from {partial}', file=sys.stderr)
        return 130
    except OSError as error:
        remedy = f'make room and give the same command again; what is done stays in {partial}' \
            if error.errno in (errno.ENOSPC, errno.EDQUOT) else 'choose another OUT, or see to its permissions'
        where = f' {error.filename}' if error.filename else ''
        print(f'segment_bag: {error.strerror or error}{where}: {remedy}', file=sys.stderr)
        return 1
    except ValueError as error:
        print(f'segment_bag: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    return 0


def segment_bag(arguments: argparse.Namespace, partial: Path) -> str:
    """Do it all; returns a line about it.

    :raises BagTaskError: the input, the topics or the output do not allow it
    :raises SegmentationError: unusable checkpoint, device or resolution
    """
    output = arguments.output
    if output.exists():
        raise BagTaskError(f'{output} exists already: remove it or choose another OUT')
    with InputBag(arguments.input) as bag:
        cameras = choose_cameras(bag.topics(), arguments.topics)
        drop = _masks_in_the_way(bag, cameras, arguments.replace)
        height, width = _resolution(arguments.resolution)
        segmenter = Segmenter.from_checkpoint(
            arguments.checkpoint, device=arguments.device, engine=arguments.engine, precision=arguments.precision,
            input_height=height, input_width=width, class_map=arguments.class_map or None,
            calibration_images=arguments.calibration_images or None)
        settings = {
            **bag.fingerprint(), 'topics': [[camera.topic, camera.mask_topic] for camera in cameras],
            'checkpoint': _identity(arguments.checkpoint), 'precision': arguments.precision, 'engine': arguments.engine,
            'calibration_images': arguments.calibration_images, 'classes': list(segmenter.class_map.names),
            'resolution': [segmenter.input_height, segmenter.input_width]}
        with Journal(partial, settings) as journal:
            total = bag.count(cameras)
            print(f'{segmenter.description}\n' + '\n'.join(f'{item.topic} -> {item.mask_topic}' for item in cameras)
                  + (f'\ngoing on after {journal.done} of {total} images' if journal.done else ''), file=sys.stderr)
            _segment(bag, cameras, segmenter, journal, total, arguments.quiet)
            masks = _finish(bag, cameras, segmenter, journal, drop, arguments)
            reasons = ', '.join(f'{count} {reason}' for reason, count in sorted(journal.reasons.items()))
    shutil.rmtree(partial, ignore_errors=True)
    return f'{output}: {masks} masks' + (f'; without one, kept as they are: {reasons}' if reasons else '')


def _segment(bag: InputBag, cameras: Sequence[Camera], segmenter: Segmenter, journal: Journal, total: int,
             quiet: bool) -> None:
    """Segment all images that the journal lacks."""
    progress = tqdm(total=total, initial=journal.done, unit='frame', desc='segment', disable=quiet, smoothing=0.05)
    with progress:
        pictures, sent = itertools.tee(bag.pictures(cameras, journal.done))
        frames = (None if picture.rgb is None else FrameInput(picture.rgb, stamp_s=picture.stamp_s, camera=picture.topic)
                  for picture in sent)
        for picture, segmentation in zip(pictures, segmenter.segment_stream(frames)):
            if segmentation is None:
                journal.add_reason(picture.reason)
            else:
                journal.add_mask(segmentation.labels)
            progress.update()


def _finish(bag: InputBag, cameras: Sequence[Camera], segmenter: Segmenter, journal: Journal, drop: Sequence[str],
            arguments: argparse.Namespace) -> int:
    """Write the bag beside its place, then put it there in one step; returns the number of masks."""
    made = journal.folder / 'bag' / arguments.output.name       # the files in a bag are named after their folder
    shutil.rmtree(made.parent, ignore_errors=True)              # of an interrupted attempt
    with tqdm(total=bag.reader.message_count, unit='message', desc='write', disable=arguments.quiet) as progress:
        masks = write_bag(made, bag, cameras, journal.masks(), segmenter.class_map, drop, STORAGES[arguments.storage],
                          progress.update)
    if arguments.output.exists():
        raise BagTaskError(f'{arguments.output} came into being meanwhile: remove it and give the same command again')
    os.rename(made, arguments.output)
    return masks


def _masks_in_the_way(bag: InputBag, cameras: Sequence[Camera], replace: bool) -> tuple[str, ...]:
    there = {item.topic for item in bag.connections} & {camera.mask_topic for camera in cameras}
    if there and not replace:
        raise BagTaskError(f'the bag has {", ".join(sorted(there))} already: --replace leaves the old masks out')
    return tuple(there)


def _identity(checkpoint: str) -> list[Any]:
    path = Path(checkpoint).expanduser()
    return [str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else [checkpoint]


def _resolution(text: str) -> tuple[int, int]:
    """(height, width) of HEIGHTxWIDTH; 0, 0 of nothing."""
    if not text:
        return 0, 0
    sizes = re.fullmatch(r'(\d+)x(\d+)', text)
    if not sizes:
        raise BagTaskError(f'--resolution {text!r}: expected HEIGHTxWIDTH in px, such as 360x480')
    return int(sizes[1]), int(sizes[2])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='segment_bag', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('input', type=Path, metavar='IN', help='a rosbag2: mcap or sqlite3, split or not')
    parser.add_argument('output', type=Path, metavar='OUT', help='folder of the new bag, which must not exist yet')
    parser.add_argument('--topics', nargs='+', default=[], metavar='[NAME=]TOPIC',
                        help='cameras, Image or CompressedImage (default: all that look like one); NAME is in '
                        '/segmentation/NAME/mask when there are several')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path')
    parser.add_argument('--class-map', default='', help="YAML with other names and colours than the checkpoint's")
    parser.add_argument('--device', default='auto')
    parser.add_argument('--engine', default='auto')
    parser.add_argument('--precision', default='auto')
    parser.add_argument('--calibration-images', default='', help='folder, for precision int8')
    parser.add_argument('--resolution', default='', metavar='HxW', help="of the network [px] (default: the checkpoint's own)")
    parser.add_argument('--storage', choices=tuple(STORAGES), default='input', help='of OUT (default: as IN)')
    parser.add_argument('--replace', action='store_true', help='leave out masks that are in the bag already')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser


if __name__ == '__main__':
    sys.exit(main())
