# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an RGB frame to a Segmentation: preprocessing, network, labels, colours. Independent of ROS.

Only Segmenter needs torch, and loads it when it is first used.
"""
from typing import TYPE_CHECKING

from fanet_ros.imports import imported_on_use
from fanet_ros.inference.class_map import ClassMap
from fanet_ros.inference.contrast_colors import with_contrast
from fanet_ros.inference.label_table import UNLABELLED, LabelTable, PublishedClass, make_label_table
from fanet_ros.inference.memory import memory_in_use, release_memory, resident_mib, trim_heap
from fanet_ros.inference.overlay import color_labels, draw_legend, draw_overlay
from fanet_ros.inference.segmentation import FrameInput, OverlayColors, Segmentation, SegmentationError, StageTimes
from fanet_ros.inference.segmenter_options import SegmenterOptions

if TYPE_CHECKING:
    from fanet_ros.inference.segmenter import Segmenter
else:
    __getattr__ = imported_on_use(__name__, {'segmenter': ['Segmenter']})

__all__ = ['UNLABELLED', 'ClassMap', 'FrameInput', 'LabelTable', 'OverlayColors', 'PublishedClass', 'Segmentation',
           'SegmentationError', 'Segmenter', 'SegmenterOptions', 'StageTimes', 'color_labels', 'draw_legend', 'draw_overlay',
           'make_label_table', 'memory_in_use', 'release_memory', 'resident_mib', 'trim_heap', 'with_contrast']
