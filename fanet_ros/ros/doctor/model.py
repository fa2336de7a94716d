# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model checks of doctor: checkpoint, class map, label info."""
from __future__ import annotations

from typing import Iterator

from fanet_ros.inference import ClassMap, SegmentationError
from fanet_ros.inference.checkpoint_summary import summarize_checkpoint
from fanet_ros.ros.doctor.findings import ERROR, OK, WARN, Finding
from fanet_ros.ros.segmentation.class_map_messages import LabelInfo
from fanet_ros.ros.segmentation.output_style import OutputStyle
from fanet_ros.ros.segmentation.parameters import SegmentationSettings


def check_model(settings: SegmentationSettings) -> Iterator[Finding]:
    """Check that the checkpoint loads, and that class map, filter and remapping fit its classes."""
    try:
        checkpoint = summarize_checkpoint(settings.checkpoint)
    except SegmentationError as error:
        yield Finding('checkpoint', ERROR, str(error), 'set checkpoint to one of these, or to the path of your own')
        return
    metadata, own = checkpoint.metadata, checkpoint.class_map
    height, width = metadata.training_resolution
    yield Finding('checkpoint', OK, f'{checkpoint.path}: {metadata.variant}, {metadata.num_classes} '
                                    f'classes, trained at {width}x{height}')
    if metadata.license:
        yield Finding('checkpoint', OK, f'licence of the weights: {metadata.license}')
    if settings.variant not in ('auto', metadata.variant):
        yield Finding('checkpoint', ERROR, f'variant is set to {settings.variant}', 'set variant to auto')
    try:
        class_map = ClassMap.load(settings.class_map) if settings.class_map else own
    except ValueError as error:
        yield Finding('class map', ERROR, str(error), 'fix the file, or leave class_map empty')
        return
    if len(class_map) != len(own):
        yield Finding('class map', ERROR, f'{settings.class_map} has {len(class_map)} classes, the checkpoint {len(own)}',
                      'leave class_map empty: the checkpoint carries its own')
        return
    renamed = [f'{old} is called {new}' for old, new in zip(own.names, class_map.names) if old != new]
    if renamed:
        yield Finding('class map', WARN, f'{len(renamed)} names differ from those of the checkpoint: {", ".join(renamed[:4])}',
                      'fine if intended; otherwise leave class_map empty')
    else:
        yield Finding('class map', OK, f'{class_map.name}: {", ".join(class_map.names)}')
    try:
        OutputStyle.of(class_map, settings)
    except ValueError as error:
        yield Finding('class map', ERROR, str(error), 'fix class_filter, class_remap or output_size')
    if LabelInfo is None:
        yield Finding('label info', WARN, 'vision_msgs is not installed, so there is no ~/label_info, which Nav2 needs',
                      'apt install ros-$ROS_DISTRO-vision-msgs; ~/class_map has the same content')
    else:
        yield Finding('label info', OK, 'vision_msgs is installed')
