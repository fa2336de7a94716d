# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes: WIDTHxHEIGHT for users, (height, width) in code, the same on every command line."""
from __future__ import annotations

import argparse
from importlib import import_module

import pytest

from fanet_ros.size_text import read_size, refuse_single_sides, size_argument, size_text


def test_width_comes_first_for_users_and_height_in_code() -> None:
    assert read_size('640x480') == (480, 640) and size_text(480, 640) == '640x480'


@pytest.mark.parametrize('text', ['', '640', '640x', 'x480', '0x480', '640x0', '640X480', '640x480x3', '-640x480', '640 480'])
def test_an_invalid_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}': expected WIDTHxHEIGHT in px, such as 640x480"):
        read_size(text)


def test_a_single_side_is_refused_with_the_argument_for_both(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('--size', type=size_argument)
    refuse_single_sides(parser, ('--height', '--width'), '--size')
    assert parser.parse_args(['--size', '640x480']).size == (480, 640)
    with pytest.raises(SystemExit, match='2'):
        parser.parse_args(['--height', '480', '--width', '640'])
    assert '--height no longer exists: expected --size WIDTHxHEIGHT in px' in capsys.readouterr().err
    assert '--height' not in parser.format_help()


@pytest.mark.parametrize(('command', 'arguments'), [
    ('tools.benchmark.command', ['--sizes', '480', '640']),
    ('tools.tune.command', ['street', '--output', 'x', '--resolutions', '480', '640']),
    ('tools.segment_bag.command', ['in', 'out', '--resolution', '480']),
    ('tools.export.command', ['a.onnx', '--input-height', '480']),
    ('tools.checkpoints.import_weights', ['a', 'b', '--class-map', 'c', '--training-size', '480', '640'])])
def test_the_former_arguments_are_refused_with_the_right_one(
        command: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        import_module(f'fanet_ros.{command}').main(arguments)
    printed = capsys.readouterr().err
    assert 'expected ' in printed and 'WIDTHxHEIGHT in px' in printed
