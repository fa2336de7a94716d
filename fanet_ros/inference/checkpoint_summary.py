# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metadata and classes of a checkpoint, without preparing it for inference."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.model import CheckpointMetadata, load_checkpoint, resolve_checkpoint


@dataclass(frozen=True)
class CheckpointSummary:
    """File, metadata and classes of a valid checkpoint."""

    path: Path
    metadata: CheckpointMetadata
    class_map: ClassMap


def summarize_checkpoint(path_or_name: str) -> CheckpointSummary:
    """Load a checkpoint by path or shipped name.

    :raises SegmentationError: the file is missing, corrupt or not a checkpoint
    """
    try:
        metadata = load_checkpoint(path_or_name).metadata
        return CheckpointSummary(resolve_checkpoint(path_or_name), metadata, ClassMap.of_checkpoint(metadata))
    except ValueError as error:
        raise SegmentationError(str(error)) from None
