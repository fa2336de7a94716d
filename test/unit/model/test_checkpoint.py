# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints store network and metadata together, and report what is wrong with them."""
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from fanet_ros.model import CheckpointError, CheckpointMetadata, FANet, load_checkpoint, save_checkpoint
from fanet_ros.model.checkpoint import METADATA_KEY, change_metadata
from fanet_ros.model.official_weights import convert_official_state_dict, read_official_weights

METADATA = CheckpointMetadata('fanet18', 'paper', 'pair', ('a', 'b'), ((1, 2, 3), (4, 5, 6)), (96, 128),
                              figures={'val/miou': 0.5})


@pytest.fixture
def stored(tmp_path: Path) -> 'tuple[Path, FANet]':
    network = METADATA.build_network().eval()
    save_checkpoint(tmp_path / 'x.safetensors', network, METADATA, dtype=torch.float32)
    return tmp_path / 'x.safetensors', network


def test_round_trip(stored: 'tuple[Path, FANet]') -> None:
    path, network = stored
    loaded, metadata = load_checkpoint(path)
    assert metadata == METADATA and not loaded.training
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(loaded(image), network(image))


@pytest.mark.parametrize(('umask', 'mode'), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_file_permissions_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        save_checkpoint(tmp_path / 'x.safetensors', METADATA.build_network(), METADATA)
    finally:
        os.umask(before)
    assert (tmp_path / 'x.safetensors').stat().st_mode & 0o777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ['x.safetensors']


def test_auxiliary_heads_are_not_stored(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / 'y.safetensors', FANet(2, aux_heads=True), METADATA)
    assert not any('clslayer_' in key for key in load_file(tmp_path / 'y.safetensors'))
    load_checkpoint(tmp_path / 'y.safetensors')


def test_wrong_shape_is_reported_with_the_expected_one(stored: 'tuple[Path, FANet]', tmp_path: Path) -> None:
    tensors = load_file(stored[0])
    tensors['clslayer.conv_out.weight'] = torch.zeros(3, 256, 1, 1)
    save_file(tensors, tmp_path / 'z.safetensors', metadata={METADATA_KEY: METADATA.to_json()})
    with pytest.raises(CheckpointError, match=r'expected \[2, 256, 1, 1\] got \[3, 256, 1, 1\].*again'):
        load_checkpoint(tmp_path / 'z.safetensors')


def test_missing_corrupt_and_bare_files(stored: 'tuple[Path, FANet]', tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match='not found'):
        load_checkpoint('no_such_checkpoint')
    (tmp_path / 'cut.safetensors').write_bytes(stored[0].read_bytes()[:5000])
    with pytest.raises(CheckpointError, match='not a readable safetensors'):
        load_checkpoint(tmp_path / 'cut.safetensors')
    save_file({'x': torch.zeros(1)}, tmp_path / 'bare.safetensors')
    with pytest.raises(CheckpointError, match='no fanet_ros metadata'):
        load_checkpoint(tmp_path / 'bare.safetensors')


@pytest.mark.parametrize('backbone', ['resnet18', 'resnet34', 'resnet50'])
def test_weights_of_the_training_module_are_imported(backbone: str, tmp_path: Path) -> None:
    network = FANet(5, backbone, 'official', aux_heads=True).eval()
    theirs = {'module.' + key.replace('fam_', 'ffm_').replace('clslayer.', 'clslayer_8.'): value
              for key, value in network.state_dict().items()}
    torch.save({'model_state': theirs, 'epoch': 3}, tmp_path / 'w.pth')
    weights = read_official_weights(tmp_path / 'w.pth')
    assert (weights.backbone, weights.num_classes) == (backbone, 5)
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(weights.build_network()(image), network(image))


def test_foreign_weights_are_rejected() -> None:
    with pytest.raises(CheckpointError, match='encoder'):
        convert_official_state_dict({'layer.weight': torch.zeros(1)})
    state = FANet(5, flavor='official').state_dict()
    state.pop('fam_8.w_qs.conv.weight')
    with pytest.raises(CheckpointError, match='fam_8.w_qs.conv.weight'):
        convert_official_state_dict(state)


def test_eight_bits_halve_the_file_and_preserve_the_logits(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = METADATA.build_network().eval()
    network.resnet.conv1.weight.data[5] = 0.0           # a channel without a scale
    half, bytes_ = tmp_path / 'half.safetensors', tmp_path / 'bytes.safetensors'
    save_checkpoint(half, network, METADATA)
    save_checkpoint(bytes_, network, METADATA, dtype=torch.int8)
    assert bytes_.stat().st_size < 0.52 * half.stat().st_size
    loaded, metadata = load_checkpoint(bytes_)
    assert metadata == METADATA
    for name, value in network.state_dict().items():
        ours = loaded.state_dict()[name]
        assert ours.dtype == value.dtype, name
        if value.dim() == 4:
            step = value.abs().amax(dim=(1, 2, 3), keepdim=True) / 127
            assert bool(((ours - value).abs() <= 0.501 * step).all()), name
        else:
            assert torch.equal(ours, value), name
    image = torch.randn(1, 3, 96, 128)
    with torch.no_grad():
        logits, rounded = network(image), loaded(image)
    assert float((rounded - logits).square().mean().sqrt()) < 0.05 * float(logits.std())


def test_packed_weights_have_six_bits_where_they_are_many(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = METADATA.build_network().eval()
    network.resnet.layer4[0].conv1.weight.data[5] = 0.0
    bytes_, packed, copy = (tmp_path / f'{name}.safetensors' for name in ('bytes', 'packed', 'copy'))
    save_checkpoint(bytes_, network, METADATA, dtype=torch.int8)
    save_checkpoint(packed, network, METADATA, dtype=torch.int8, is_packed=True)
    assert packed.stat().st_size < 0.8 * bytes_.stat().st_size
    change_metadata(packed, copy, data='elsewhere')
    loaded, metadata = load_checkpoint(copy)
    assert metadata == replace(METADATA, data='elsewhere')
    for name, value in network.state_dict().items():
        ours = loaded.state_dict()[name]
        largest = 31 if value.numel() >= 2**18 else 127
        if value.dim() == 4:
            peak = value.abs().amax(dim=(1, 2, 3), keepdim=True)
            assert len(torch.unique(ours[0])) <= 2 * largest + 1, name
            plain = ((value / (peak / largest).clamp(min=1e-30)).round() * peak / largest - value).square().sum()
            assert float((ours - value).square().sum()) <= 1.0001 * float(plain), name
        else:
            assert torch.equal(ours, value), name


def test_packed_weights_that_are_too_few_are_rejected(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / 'x.safetensors', METADATA.build_network(), METADATA, dtype=torch.int8, is_packed=True)
    tensors = load_file(tmp_path / 'x.safetensors')
    name = 'resnet.layer4.0.conv2.weight'
    tensors[name] = tensors[name][:-1].clone()
    save_file(tensors, tmp_path / 'y.safetensors', metadata={METADATA_KEY: METADATA.to_json(3)})
    with pytest.raises(CheckpointError, match=r'y\.safetensors: resnet\.layer4\.0\.conv2\.weight is in 6 bits: expected \d+ bytes'):
        load_checkpoint(tmp_path / 'y.safetensors')


def test_eight_bits_without_their_scale_are_rejected(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / 'x.safetensors', METADATA.build_network(), METADATA, dtype=torch.int8)
    tensors = load_file(tmp_path / 'x.safetensors')
    for change, expected in ((None, 'got none'), (torch.ones(3), r'got \[3\]')):
        broken = dict(tensors)
        broken.pop('resnet.conv1.weight.scale')
        if change is not None:
            broken['resnet.conv1.weight.scale'] = change
        save_file(broken, tmp_path / 'y.safetensors', metadata={METADATA_KEY: METADATA.to_json(2)})
        with pytest.raises(CheckpointError, match=r'y\.safetensors: resnet\.conv1\.weight is in 8 bits.*' + expected):
            load_checkpoint(tmp_path / 'y.safetensors')


def test_a_newer_format_asks_for_an_update(tmp_path: Path) -> None:
    save_file({'x': torch.zeros(1)}, tmp_path / 'new.safetensors', metadata={METADATA_KEY: METADATA.to_json(4)})
    with pytest.raises(CheckpointError, match='got 4: update fanet_ros'):
        load_checkpoint(tmp_path / 'new.safetensors')


@pytest.mark.parametrize(('text', 'problem'), [('{', 'not JSON'), ('[1]', 'expected an object')])
def test_metadata_of_another_kind_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(CheckpointError, match=problem):
        CheckpointMetadata.from_json(text)
