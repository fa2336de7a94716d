# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Import of the authors' .pth weights: every rename between their code and ours lives here.

The authors' code has two modules for the same network. The benchmark module names its tensors as FANet does; the training
module, which writes the .pth files, has `ffm_*` for `fam_*`, `clslayer_8` for `clslayer`, and two auxiliary heads.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import torch
from torch import Tensor

from fanet_ros.error_text import error_text
from fanet_ros.model.backbone import backbone_of_state_dict
from fanet_ros.model.checkpoint_files import CheckpointError
from fanet_ros.model.fanet import FANet

_AUX_HEADS = ('clslayer_32.', 'clslayer_16.')
_RENAMES = (('ffm_', 'fam_'), ('clslayer_8.', 'clslayer.'))
_WRAPPERS = ('model_state', 'state_dict')


@dataclass(frozen=True)
class OfficialWeights:
    """A state dict with FANet's names, and the network it belongs to."""

    state_dict: dict[str, Tensor]
    backbone: str
    num_classes: int

    def build_network(self, reference_size: Optional[tuple[int, int]] = None) -> FANet:
        """The official-flavour FANet with these weights, in eval mode; `reference_size` as in FANet."""
        network = FANet(self.num_classes, self.backbone, 'official', reference_size=reference_size)
        network.load_state_dict(self.state_dict, strict=True)
        return network.eval()


def read_official_weights(path: Union[str, Path]) -> OfficialWeights:
    """Read a .pth file written by the authors' code.

    :raises CheckpointError: unreadable file, or not FANet's weights
    """
    try:
        stored = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:      # torch.load() raises many types for a damaged file
        raise CheckpointError(f'{path} is not a readable .pth file ({error_text(error, 200)})') from None
    try:
        return convert_official_state_dict(stored)
    except CheckpointError as error:
        raise CheckpointError(f'{path}: {error}') from None


def convert_official_state_dict(stored: Any) -> OfficialWeights:
    """Rename the tensors of a state dict of the authors' code to FANet's names.

    Accepts it bare, under `model_state` or `state_dict`, with `module.` prefixes, and with either module's names; auxiliary
    heads are dropped.

    :raises CheckpointError: not a state dict, an unknown encoder, tensors missing, left over or of the wrong shape
    """
    state = _unwrap(stored)
    state = {_rename(key): value for key, value in state.items() if not _strip(key).startswith(_AUX_HEADS)}
    backbone = backbone_of_state_dict(state)
    if backbone is None:
        raise CheckpointError('expected the encoder of FANet-18, -34 or -50 under resnet.*, found none of them')
    head = state.get('clslayer.conv_out.weight')
    if head is None or head.dim() != 4:
        raise CheckpointError('expected the classifier clslayer.conv_out.weight (or clslayer_8...), found none')
    expected = FANet(head.shape[0], backbone, 'official').state_dict()
    for key in expected:        # files of PyTorch before 0.4.1 lack the counter, which inference does not use
        if key.endswith('num_batches_tracked') and key not in state:
            state[key] = torch.zeros((), dtype=torch.long)
    missing, extra = sorted(expected.keys() - state.keys()), sorted(state.keys() - expected.keys())
    unequal = sorted(key for key in expected.keys() & state.keys() if expected[key].shape != state[key].shape)
    for kind, keys in (('missing', missing), ('unknown', extra), ('of the wrong shape', unequal)):
        if keys:
            raise CheckpointError(f'{len(keys)} tensors are {kind} for {backbone}, the first is {keys[0]}')
    return OfficialWeights({key: state[key] for key in expected}, backbone, head.shape[0])


def _unwrap(stored: Any) -> Mapping[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(stored, Mapping) and isinstance(stored.get(wrapper), Mapping):
            stored = stored[wrapper]
    if not isinstance(stored, Mapping) or not stored or not all(isinstance(v, Tensor) for v in stored.values()):
        raise CheckpointError(f'expected a state dict, bare or under {" or ".join(_WRAPPERS)}')
    return stored


def _strip(key: str) -> str:
    while key.startswith('module.'):
        key = key.removeprefix('module.')
    return key


def _rename(key: str) -> str:
    key = _strip(key)
    for theirs, ours in _RENAMES:
        if key.startswith(theirs):
            return ours + key[len(theirs):]
    return key
