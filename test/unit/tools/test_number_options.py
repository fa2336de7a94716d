# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that make no sense are refused before any work is done, instead of spoiling its result."""
from __future__ import annotations

from typing import Callable, Optional

import pytest

from fanet_ros.tools import evaluate
from fanet_ros.tools.checkpoints import balance_classes
from fanet_ros.tools.pack import command as pack
from fanet_ros.tools.segment_images import command as segment_images
from fanet_ros.tools.soft_labels import command as soft_labels

Main = Callable[[Optional[list[str]]], int]
BALANCE = ['no_checkpoint', '--on', 'no_checkpoint', 'no_data', '--output', 'out.safetensors']
SOFT_LABELS, IMAGES = ['no_recipe', '--teacher', 'no_checkpoint'], ['no_images', '--output', 'out']


@pytest.mark.parametrize(('main', 'arguments', 'option', 'value'), [
    (balance_classes.main, BALANCE, '--strength', 'nan'), (soft_labels.main, SOFT_LABELS, '--stride', '0'),
    (soft_labels.main, SOFT_LABELS, '--scales', 'nan'), (segment_images.main, IMAGES, '--alpha', '7'),
    (segment_images.main, IMAGES, '--scale', 'nan'), (evaluate.main, ['--data', 'no_data', '--video'], '--smoothing', 'nan'),
    (pack.main, ['no_recipe'], '--max-mb', 'nan')])
def test_a_number_without_sense_is_refused(main: Main, arguments: list[str], option: str, value: str,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='2'):
        main([*arguments, option, value])
    assert f"argument {option}: '{value}': expected a" in capsys.readouterr().err
