# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Initial weights from another checkpoint, as far as they fit."""
from __future__ import annotations

from torch import nn

from fanet_ros.model import Checkpoint, CheckpointMetadata, FANet

HEAD = 'clslayer.conv_out.weight'       # (C, 256, 1, 1)
AUXILIARY = ('clslayer_32.', 'clslayer_16.', 'fam_32.smooth.')


def start_from(network: FANet, metadata: CheckpointMetadata, start: Checkpoint, name: str) -> str:
    """Copy the weights that `network` shares with `start`; returns one line that says what starts at random.

    Rows of the class head are matched by class name, so that other classes or another order keep what is known. A deeper
    encoder of the same blocks starts as the same function as the shallower one (Net2DeeperNet: Chen et al., arXiv 1511.05641):
    its additional blocks start as the identity.

    :param metadata: of the network to train
    :param name: of `start`, for messages
    :raises ValueError: `start` is a variant that `network` does not deepen
    """
    if not _is_deepening(start.network, network):
        raise ValueError(f'init: {name} is a {start.metadata.variant}, the recipe trains a {metadata.variant}: '
                         'choose a checkpoint of that variant or of fanet18 for fanet34, or leave init empty')
    wanted, given = network.state_dict(), start.network.state_dict()
    fitting = {key: value for key, value in given.items() if key in wanted and wanted[key].shape == value.shape}
    head, known = wanted[HEAD].clone(), start.metadata.class_names
    shared = [name for name in metadata.class_names if name in known]
    for class_name in shared:
        head[metadata.class_names.index(class_name)] = given[HEAD][known.index(class_name)]
    fitting[HEAD] = head
    network.load_state_dict(fitting, strict=False)
    added = _make_identities(network, start.network)
    left = [key for key in wanted if key not in fitting and not key.startswith((*AUXILIARY, *added))]
    new = [class_name for class_name in metadata.class_names if class_name not in known]
    at_random = ['the auxiliary heads'] + [f'the class head\'s rows of {", ".join(new)}'] * bool(new) + left
    identities = f'; {len(added)} blocks start as the identity' if added else ''
    return f'weights of {name}; at random: {"; ".join(at_random)}{identities}'


def _is_deepening(start: FANet, network: FANet) -> bool:
    """Whether the encoders are the same, or `network` has more of the same blocks."""
    pairs = list(zip(_layers(start), _layers(network)))
    return all(type(old[0]) is type(new[0]) and len(old) <= len(new) for old, new in pairs)


def _make_identities(network: FANet, start: FANet) -> list[str]:
    """Make the blocks that only `network` has the identity, for their input is never negative; returns their name prefixes."""
    added = []
    for number, (old, new) in enumerate(zip(_layers(start), _layers(network)), start=1):
        for index in range(len(old), len(new)):
            last = 'bn3' if hasattr(new[index], 'bn3') else 'bn2'
            nn.init.zeros_(getattr(new[index], last).weight)
            added.append(f'resnet.layer{number}.{index}.')
    return added


def _layers(network: FANet) -> list[nn.Sequential]:
    return [getattr(network.resnet, f'layer{number}') for number in range(1, 5)]
