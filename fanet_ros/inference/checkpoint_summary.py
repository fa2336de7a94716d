# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint is, without making anything of it ready to run."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.model import CheckpointMetadata, load_checkpoint, resolve_checkpoint


@dataclass(frozen=True)
class CheckpointSummary:
    """A checkpoint that loads: its file, what it says of itself, and its classes."""

    path: Path
    metadata: CheckpointMetadata
    class_map: ClassMap


def summarize_checkpoint(path_or_name: str) -> CheckpointSummary:
    """Load a checkpoint by path or shipped name.

    :raises SegmentationError: missing, corrupt or no checkpoint
    """
    try:
        metadata = load_checkpoint(path_or_name).metadata
        return CheckpointSummary(resolve_checkpoint(path_or_name), metadata, ClassMap.of_checkpoint(metadata))
    except ValueError as error:
        raise SegmentationError(str(error)) from None
