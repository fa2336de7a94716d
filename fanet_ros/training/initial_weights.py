"""Weights to start from: those of another checkpoint, as far as they fit."""
from __future__ import annotations

from fanet_ros.model import Checkpoint, CheckpointMetadata, FANet

HEAD = 'clslayer.conv_out.weight'       # (C, 256, 1, 1)
AUXILIARY = ('clslayer_32.', 'clslayer_16.', 'fam_32.smooth.')


class InitialWeightsError(ValueError):
    """A checkpoint cannot be started from; one line."""


def start_from(network: FANet, metadata: CheckpointMetadata, start: Checkpoint, name: str) -> str:
    """Copy into `network` what it shares with `start`; returns one line that says what begins at random.

    Rows of the class head go by the names of the classes, so that other classes or another order keep what is known.

    :param metadata: of the network that is trained
    :param name: of `start`, for messages
    :raises InitialWeightsError: it is of another variant
    """
    if start.metadata.variant != metadata.variant:
        raise InitialWeightsError(f'init: {name} is a {start.metadata.variant}, the recipe trains a '
                                  f'{metadata.variant}: choose a checkpoint of that variant, or leave init empty')
    wanted, given = network.state_dict(), start.network.state_dict()
    fitting = {key: value for key, value in given.items() if key in wanted and wanted[key].shape == value.shape}
    head, known = wanted[HEAD].clone(), start.metadata.class_names
    shared = [name for name in metadata.class_names if name in known]
    for class_name in shared:
        head[metadata.class_names.index(class_name)] = given[HEAD][known.index(class_name)]
    fitting[HEAD] = head
    network.load_state_dict(fitting, strict=False)
    left = [key for key in wanted if key not in fitting and not key.startswith(AUXILIARY)]
    new = [class_name for class_name in metadata.class_names if class_name not in known]
    at_random = ['the auxiliary heads'] + [f'the class head\'s rows of {", ".join(new)}'] * bool(new) + left
    return f'weights of {name}; at random begin {"; ".join(at_random)}'
