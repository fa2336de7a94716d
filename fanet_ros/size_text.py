# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes as users read and write them: WIDTHxHEIGHT in px. Code, arrays and messages use (height, width)."""
from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

METAVAR = 'WIDTHxHEIGHT'
_SIZE = re.compile(r'([1-9]\d{0,4})x([1-9]\d{0,4})')


def size_text(height: int, width: int) -> str:
    """(480, 640) -> '640x480'."""
    return f'{width}x{height}'


def read_size(text: str) -> tuple[int, int]:
    """'640x480' -> (480, 640), height and width in px.

    :raises ValueError: not a size
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r}: expected {METAVAR} in px, such as 640x480')
    return int(match[2]), int(match[1])


def size_argument(text: str) -> tuple[int, int]:
    """read_size() as a `type` for argparse."""
    try:
        return read_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def refuse_single_sides(parser: argparse.ArgumentParser, names: tuple[str, ...], instead: str) -> None:
    """Reject the former options `names`, each one side of a size, with a message that names `instead`, which takes both."""
    class Refuse(argparse.Action):
        def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
            parser.error(f'{"/".join(self.option_strings)} no longer exists: expected {instead} {METAVAR} in px, '
                         f'such as {instead} 640x480')
    for name in names:
        parser.add_argument(name, action=Refuse, help=argparse.SUPPRESS)
