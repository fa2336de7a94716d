# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segment all bags of an archive, offline and without ROS, on one machine or a Ray cluster, and write a copy of each with masks.

    ros2 run fanet_ros segment_bags /archive --output /archive_masks
    ros2 run fanet_ros segment_bags /archive --output /archive_masks --workers 4
    ros2 run fanet_ros segment_bags /archive --output /archive_masks --ray auto

DIR mirrors the folder structure of the archive. A bag appears there once it is complete; until then the work is in NAME.partial.
SOURCE and DIR may be in an object store (s3://, gs://); unfinished work is then in --work.

After an interruption the same command resumes where it stopped and skips finished bags. DIR/report.json lists the result of each
bag, DIR/frames.parquet has statistics of each frame (needs pyarrow). Several workers or a cluster need Ray:
pip install ray.

Exit code: 0, all bags are done; 1, some failed; 2, no bag is done, or the run had to stop (one line says why; what was finished is
kept); 130, interrupted.
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.bags.remote_path import RemotePath, any_path
from fanet_ros.host.termination import exit_code_of, sigterm_interrupts
from fanet_ros.no_space import lacks_space
from fanet_ros.number_arguments import count_argument
from fanet_ros.size_text import METAVAR, size_argument
from fanet_ros.tools.network_arguments import add_network_arguments


def main(argv: Optional[list[str]] = None) -> int:
    """Segment the bags; returns the exit code, see the module docstring."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.workers is None:
        arguments.workers = 0 if arguments.ray else 1
    if isinstance(arguments.output, RemotePath) != (arguments.work is not None):
        parser.error('--work DIR is needed for an --output in an object store, and only there')

    def work() -> int:
        from fanet_ros.tools.segment_bags.run import segment_bags
        return segment_bags(arguments)

    def remedy(error: OSError) -> str:
        if lacks_space(error):
            return 'free some space and run the same command again'
        return 'choose another --output, or check its permissions'
    with sigterm_interrupts():
        return exit_code_of('segment_bags', work, remedy=remedy, stopped='stopped; run the same command again to resume', failure=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='segment_bags', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('sources', type=any_path, nargs='+', metavar='SOURCE',
                        help='a bag, a folder to search for bags, or a text file (.txt) with one path per line')
    parser.add_argument('--output', type=any_path, required=True, metavar='DIR', help='folder of the new bags')
    parser.add_argument('--work', type=Path, metavar='DIR',
                        help='folder for unfinished bags if --output is in an object store; all machines must share it')
    parser.add_argument('--root', type=any_path, metavar='FOLDER',
                        help='DIR mirrors the folders below it (default: the deepest folder that contains every SOURCE)')
    parser.add_argument('--workers', type=count_argument, default=None, metavar='N',
                        help='number of workers (default: 1; with --ray, as many as the cluster has room for)')
    parser.add_argument('--ray', default='', metavar='ADDRESS',
                        help='a running Ray cluster: HOST:PORT, or auto for the one this machine belongs to')
    parser.add_argument('--threads', type=count_argument, default=0, metavar='N',
                        help='CPU threads per worker (default: the cores of this machine divided by --workers; 1 with --ray)')
    parser.add_argument('--per-gpu', type=count_argument, default=1, metavar='N',
                        help='workers that share a GPU (default: 1); several, if reading and writing keep it waiting')
    parser.add_argument('--unit', type=count_argument, default=300, metavar='N',
                        help='images per unit of work, at most on average (default: 300)')
    parser.add_argument('--replace', action='store_true', help='redo bags that were made with another checkpoint or other options')
    parser.add_argument('--no-table', action='store_true', help='do not write frames.parquet, which costs some time per frame')
    parser.add_argument('--topics', nargs='+', default=[], metavar='[NAME=]TOPIC',
                        help='camera topics of every bag, see segment_bag (default: detected automatically)')
    parser.add_argument('--checkpoint', default='fanet18_camvid', help='shipped name or path (default: %(default)s)')
    parser.add_argument('--class-map', default='', help="YAML file with class names and colours to use instead of the checkpoint's")
    add_network_arguments(parser)
    parser.add_argument('--calibration-images', default='', help='folder of frames that int8 is calibrated on')
    parser.add_argument('--resolution', type=size_argument, default=(0, 0), metavar=METAVAR,
                        help="network resolution [px] (default: the checkpoint's own)")
    parser.add_argument('--storage', choices=('input', 'mcap', 'sqlite3'), default='input',
                        help='format of the new bags (default: as the input)')
    parser.add_argument('--masks', choices=('raw', 'png'), default='raw',
                        help='png: the same labels in a fraction of the space, as MASK_TOPIC/compressed (default: raw)')
    parser.add_argument('--quiet', action='store_true', help='no progress bar')
    return parser
