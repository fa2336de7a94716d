# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options of a Segmenter are checked when they are set, and unknown names are rejected."""
from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from fanet_ros.inference import ClassMap, SegmentationError, Segmenter, SegmenterOptions
from fanet_ros.model import CheckpointMetadata, save_checkpoint

METADATA = CheckpointMetadata('fanet18', 'paper', 'pair', ('a', 'b'), ((9, 2, 3), (4, 5, 6)), (64, 96))


@pytest.mark.parametrize(('options', 'reason'), [
    ({'device': 'abacus'}, "device 'abacus' is unknown: expected 'auto', 'cpu', 'cuda' or 'cuda:N'"),
    ({'device': 'cuda:x'}, "device 'cuda:x' is unknown"),
    ({'engine': 'steam'}, "engine 'steam' is unknown: expected one of auto, torch, .*ncnn"),
    ({'precision': 'int4'}, "precision 'int4' is unknown: expected one of auto, float32, bfloat16, float16, int8"),
    ({'variant': 'fanet99'}, "variant 'fanet99' is unknown: expected one of auto, fanet18, fanet34, fanet50"),
    ({'input_height': 63}, 'input_height is 63 px: expected 64..8192, or 0'), ({'input_width': 9000}, 'input_width is 9000 px'),
    ({'scale': 0.0}, 'scale is 0.0: expected a number above 0'), ({'scale': float('nan')}, 'scale is nan'),
    ({'batch': 0}, 'batch is 0: expected 1 or more'), ({'num_threads': -1}, 'num_threads is -1: expected 1 or more, or 0'),
    ({'frame_sizes': [(480, 0)]}, r'frame_sizes has \(480, 0\): expected height and width')])
def test_invalid_values_are_rejected(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(SegmentationError, match=reason):
        SegmenterOptions(**options)


def test_unknown_option_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    for ask in (lambda: SegmenterOptions().changed(engin='torch'), lambda: SegmenterOptions.taken_from(Namespace(), engin='torch'),
                lambda: Segmenter.from_checkpoint(tmp_path / 'none', engin='torch')):
        with pytest.raises(TypeError, match='no option engin: expected some of device, engine, precision, .*quick'):
            ask()


def test_options_are_taken_by_name_from_an_object_with_more_attributes() -> None:
    arguments = Namespace(device='cpu', engine='torch', class_map='', output='here', scale=0.5)
    expected = SegmenterOptions('cpu', 'torch', class_map='', scale=0.25, input_height=96)
    assert SegmenterOptions.taken_from(arguments, scale=0.25, input_height=96) == expected


def test_at_size_of_copies_only_size_options() -> None:
    one = SegmenterOptions('cpu', 'torch', input_height=96, quick=True)
    assert one.at_size_of(SegmenterOptions('cpu', 'torch', scale=0.5)) == SegmenterOptions('cpu', 'torch', scale=0.5)
    assert one.at_size_of(SegmenterOptions('cpu', 'onnxruntime')) != SegmenterOptions('cpu', 'onnxruntime')
    assert one.at_size_of(SegmenterOptions('cpu', 'torch', batch=2)) != SegmenterOptions('cpu', 'torch', batch=2)


def test_options_and_keyword_changes_are_equivalent(tmp_path: Path) -> None:
    path = tmp_path / 'pair.safetensors'
    save_checkpoint(path, METADATA.build_network(), METADATA)
    other = ClassMap('other', ('x', 'y'), ((0, 0, 1), (1, 1, 1)))
    options = SegmenterOptions('cpu', 'torch', class_map=other, input_height=96)
    one, two = Segmenter.from_checkpoint(path, options), Segmenter.from_checkpoint(
        path, SegmenterOptions('cpu', 'torch', class_map=other), input_height=96)
    assert one.options == two.options == options and one.input_sizes == two.input_sizes == ((96, 128),)
    assert one.class_map == other and one.checkpoint_name == 'pair'
    smaller = one.resized(0, 0, 0.75, quick=True)
    assert smaller.options == SegmenterOptions('cpu', 'torch', class_map=other, scale=0.75, quick=True) and one.options == options
