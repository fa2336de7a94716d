# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert a .pth file of the authors' code to a checkpoint for the node.

    fanet_ros import_weights FANet18.pth fanet18.safetensors --class-map config/class_maps/cityscapes19.yaml \\
        --training-size 1024x512
"""
from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional

from fanet_ros.host.termination import exit_code_of
from fanet_ros.size_text import METAVAR, size_argument


def main(argv: Optional[list[str]] = None) -> int:
    """Read the .pth, write the .safetensors; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog='import_weights', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('weights', type=Path, help='.pth file')
    parser.add_argument('output', type=Path, help='.safetensors file to write')
    parser.add_argument('--class-map', type=Path, required=True, help='YAML file with the class names and colours')
    parser.add_argument('--training-size', type=size_argument, metavar=METAVAR, required=True,
                        help='resolution the weights were trained at [px]; it scales the attention')
    parser.add_argument('--license', default='', help='licence of the weights')
    arguments = parser.parse_args(argv)
    return exit_code_of('import_weights', lambda: _import(arguments))


def _import(arguments: argparse.Namespace) -> None:
    from fanet_ros.inference import ClassMap
    from fanet_ros.model import VARIANT_OF_BACKBONE, CheckpointError, CheckpointMetadata, save_checkpoint
    from fanet_ros.model.official_weights import read_official_weights
    weights = read_official_weights(arguments.weights)
    class_map = ClassMap.load(arguments.class_map)
    if len(class_map) != weights.num_classes:
        raise CheckpointError(f'{arguments.weights} has {weights.num_classes} classes, {arguments.class_map} has '
                              f'{len(class_map)}: they must be equal')
    size = arguments.training_size
    metadata = CheckpointMetadata(
        variant=VARIANT_OF_BACKBONE[weights.backbone], flavor='official', class_map_name=class_map.name,
        class_names=class_map.names, class_colors=class_map.colors, training_resolution=size, reference_size=size,
        license=arguments.license, recipe=f'imported from {arguments.weights.name}')
    save_checkpoint(arguments.output, weights.build_network(size), metadata)
    print(f'{arguments.output}: {metadata.variant}, {metadata.num_classes} classes')
