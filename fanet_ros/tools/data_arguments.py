# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command-line options that select a labelled data set, shared by several tools."""
from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Sequence

from fanet_ros.choices import LAYOUTS

if TYPE_CHECKING:       # not at runtime: keeps --help fast
    from fanet_ros.datasets.config import DataConfig


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --layout, --split, --set and --only."""
    parser.add_argument('--data', required=True,
                        help="root of the data set (layout 'folder': images/ and labels/), or the bag")
    parser.add_argument('--layout', default='folder', choices=LAYOUTS)
    parser.add_argument('--split', default='val', help='split of Cityscapes or COCO-Stuff')
    parser.add_argument('--set', action='append', default=[], metavar='KEY=VALUE',
                        help='any other data set key of a training recipe, such as labels=colors or masks=truth')
    parser.add_argument('--only', nargs='*', default=[], metavar='PREFIX', help='only images whose names start with one of these')


def data_config(arguments: argparse.Namespace) -> DataConfig:
    """Build the data set configuration from --data, --layout, --split, --only and --set.

    :raises ConfigError: a misspelt key, or a value of the wrong type
    """
    content = {'layout': arguments.layout, 'path': arguments.data, 'split': arguments.split, 'only': arguments.only}
    return with_settings(content, arguments.set)


def with_settings(content: dict[str, Any], settings: Sequence[str]) -> DataConfig:
    """Build a data set configuration from its keys and --set KEY=VALUE texts.

    :raises ConfigError: a misspelt key, or a value of the wrong type
    """
    from fanet_ros.datasets.config import DataConfig
    from fanet_ros.datasets.config_reader import build, override
    for text in settings:
        override(content, text)
    return build(DataConfig, content, '')
