# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line options of how the network runs, for tools with a Segmenter."""
from __future__ import annotations

import argparse

from fanet_ros.choices import ENGINES, PRECISIONS


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --device, --engine and --precision."""
    parser.add_argument('--device', default='auto', help='auto (default: CUDA if available), cpu, cuda or cuda:N')
    parser.add_argument('--engine', choices=ENGINES, default='auto',
                        help='inference backend (default: auto, the fastest on this machine, measured once)')
    parser.add_argument('--precision', choices=PRECISIONS, default='auto',
                        help="number format of the network (default: auto, like the node's parameter)")
