# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The FANet network and the storage of its weights, independent of ROS. All but the location of checkpoints needs torch.

`attention` is one fast attention level, `backbone` the ResNet encoders, `fanet` the whole network, `checkpoint` the weights on
disk, `official_weights` the import of the authors' .pth files.
"""
from typing import TYPE_CHECKING

from fanet_ros.imports import imported_on_use
from fanet_ros.model.checkpoint_files import CheckpointError, available_checkpoints, resolve_checkpoint
from fanet_ros.model.limits import MIN_INPUT_PX

if TYPE_CHECKING:
    from fanet_ros.model.backbone import STRIDES
    from fanet_ros.model.checkpoint import Checkpoint, CheckpointMetadata, change_metadata, load_checkpoint, save_checkpoint
    from fanet_ros.model.fanet import BACKBONE_OF_VARIANT, FLAVORS, VARIANT_OF_BACKBONE, FANet, FANetOutputs, FrameContext
else:
    __getattr__ = imported_on_use(__name__, {
        'backbone': ['STRIDES'],
        'checkpoint': ['Checkpoint', 'CheckpointMetadata', 'change_metadata', 'load_checkpoint', 'save_checkpoint'],
        'fanet': ['BACKBONE_OF_VARIANT', 'FLAVORS', 'VARIANT_OF_BACKBONE', 'FANet', 'FANetOutputs', 'FrameContext'],
    })

__all__ = [
    'BACKBONE_OF_VARIANT',
    'FLAVORS',
    'MIN_INPUT_PX',
    'STRIDES',
    'VARIANT_OF_BACKBONE',
    'Checkpoint',
    'CheckpointError',
    'CheckpointMetadata',
    'FANet',
    'FANetOutputs',
    'FrameContext',
    'available_checkpoints',
    'change_metadata',
    'load_checkpoint',
    'resolve_checkpoint',
    'save_checkpoint',
]
