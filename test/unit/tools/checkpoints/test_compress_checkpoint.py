# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""8-bit checkpoints, and errors when writing them."""
from dataclasses import replace
from pathlib import Path

import pytest

from fanet_ros.model import CheckpointMetadata, load_checkpoint, save_checkpoint
from fanet_ros.tools.checkpoints.compress_checkpoint import main

METADATA = CheckpointMetadata('fanet18', 'paper', 'pair', ('a', 'b'), ((1, 2, 3), (4, 5, 6)), (96, 128),
                              figures={'val/miou': 0.5}, recipe='as it was')


def test_half_the_size_without_the_figures_of_the_original(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / 'half.safetensors', METADATA.build_network(), METADATA)
    output = tmp_path / 'small.safetensors'
    assert main([str(tmp_path / 'half.safetensors'), '--output', str(output)]) == 0
    assert load_checkpoint(output).metadata == replace(METADATA, figures={})
    assert output.stat().st_size < 0.52 * (tmp_path / 'half.safetensors').stat().st_size
    printed = capsys.readouterr().out
    assert 'MB, weights changed by 0.' in printed or 'MB, weights changed by 1.' in printed


def test_packed_is_smaller_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / 'half.safetensors', METADATA.build_network(), METADATA)
    assert main([str(tmp_path / 'half.safetensors'), '--output', str(tmp_path / 'small.safetensors'), '--packed']) == 0
    assert (tmp_path / 'small.safetensors').stat().st_size < 0.42 * (tmp_path / 'half.safetensors').stat().st_size
    assert 'MB, weights changed by' in capsys.readouterr().out


def test_the_folder_of_the_output_is_created(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / 'half.safetensors', METADATA.build_network(), METADATA)
    assert main([str(tmp_path / 'half.safetensors'), '--output', str(tmp_path / 'new/folder/small.safetensors')]) == 0
    assert (tmp_path / 'new/folder/small.safetensors').is_file()


@pytest.mark.parametrize('folder', ['', 'file/'])
def test_errors_are_one_line(tmp_path: Path, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'file').touch()
    source = tmp_path / 'half.safetensors'
    if folder:
        save_checkpoint(source, METADATA.build_network(), METADATA)
    assert main([str(source), '--output', str(tmp_path / f'{folder}small.safetensors')]) == 1
    error = capsys.readouterr().err
    assert error.startswith('compress_checkpoint: ') and error.count('\n') == 1
