# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options by which a tool is told its labelled frames."""
from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fanet_ros.choices import LAYOUTS

if TYPE_CHECKING:       # --help need not wait for it
    from fanet_ros.datasets.config import DataConfig


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --layout, --split, --set and --only."""
    parser.add_argument('--data', required=True,
                        help="root of the data set (layout 'folder': images/ and labels/), or the bag")
    parser.add_argument('--layout', default='folder', choices=LAYOUTS)
    parser.add_argument('--split', default='val', help='split of Cityscapes or COCO-Stuff')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='any other key of a data set in a recipe, such as labels=colors or masks=truth')
    parser.add_argument('--only', nargs='*', default=[], metavar='PREFIX', help='only images whose names start with one of these')


def data_config(arguments: argparse.Namespace) -> DataConfig:
    """Of --data, --layout, --split, --only and --set.

    :raises ConfigError: a misspelt key, or a value of the wrong type
    """
    from fanet_ros.datasets.config import DataConfig
    from fanet_ros.datasets.config_reader import build, override
    content = {'layout': arguments.layout, 'path': arguments.data, 'split': arguments.split, 'only': arguments.only}
    for text in arguments.set:
        override(content, text)
    return build(DataConfig, content, '')
