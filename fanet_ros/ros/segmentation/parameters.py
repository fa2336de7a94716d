# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the segmentation node."""
from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Sequence

from fanet_ros.choices import COLORS, ENGINES, LABEL_IDS, MASK_PNGS, MAX_LATENCY_BUDGET_MS, PRECISIONS, VARIANTS
from fanet_ros.ros.common.parameters import Settings, fixed_parameter, parameter
from fanet_ros.ros.segmentation.diagnostics import Thresholds

DEFAULT_BATCH = 4       # larger batches take more memory, and each frame waits for its whole batch
CAMERA_NAME = re.compile(r'[A-Za-z]\w*(/[A-Za-z]\w*)*', re.ASCII)


def _camera_names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name)


@dataclass(frozen=True)
class SegmentationSettings(Settings):
    """Parameter values of segmentation_node; `cameras` is empty for a single camera.

    :raises ValueError: a value is invalid
    """

    autostart: bool = fixed_parameter(True, 'Configure and activate at start-up; false: leave it to a lifecycle manager')
    cameras: tuple[str, ...] = fixed_parameter(
        [''], 'Names of several cameras: NAME/image in, ~/NAME/mask out; empty: image in, ~/mask out',
        none=[''], convert=_camera_names)
    checkpoint: str = parameter('fanet18_camvid', 'Name of a shipped checkpoint, or path of your own')
    variant: str = parameter('auto', 'Network architecture the checkpoint must have; auto: any', choices=('auto', *VARIANTS))
    class_map: str = parameter('', "YAML file with other class names and colours; empty: the checkpoint's own")
    device: str = fixed_parameter('auto', 'auto (CUDA if available), cpu, cuda or cuda:N')
    engine: str = parameter('auto', 'Inference backend; auto: the fastest on this machine, measured once', choices=ENGINES)
    precision: str = parameter(
        'auto', 'Number format of the network; auto: float16 on CUDA; on the CPU float32, or int8 if calibration_images are set '
        'and it gives them the same labels', choices=PRECISIONS)
    calibration_images: str = parameter('', 'Folder of frames from this camera, on which int8 is calibrated')
    num_threads: int = fixed_parameter(0, "CPU threads for the network; 0: torch's choice, without slow cores (big.LITTLE)",
                                       minimum=0, maximum=256)
    # No ROS range, which cannot express 0 or 64..8192: the network checks the value.
    input_height: int = parameter(
        0, "Network input height, 64..8192; 0: keep the image's aspect ratio, with as many pixels as in training",
        unit='px')
    input_width: int = parameter(
        0, "Network input width, 64..8192; 0: keep the image's aspect ratio, with as many pixels as in training",
        unit='px')
    input_scale: float = parameter(
        1.0, 'Scales both network input height and width, keeping the aspect ratio', minimum=0.1, maximum=4.0)
    latency_budget_ms: float = parameter(
        0.0, 'Lower the resolution while the p95 latency, image received to all outputs published, exceeds this, and '
        'raise it again when it fits; 0: fixed resolution', unit='ms', minimum=0.0, maximum=MAX_LATENCY_BUDGET_MS)
    resolution_ladder: tuple[float, ...] = parameter(
        [1.0, 0.75, 0.5, 0.375], 'Scales of the resolution that latency_budget_ms chooses from, in descending order from '
        '1.0', none=[1.0], convert=tuple)
    max_frame_age_ms: float = parameter(
        0.0, "Drop frames whose stamp is older than this by the node's clock; 0: drop none",
        unit='ms', minimum=0.0, maximum=60000.0)
    max_rate_hz: float = parameter(
        0.0, 'Maximum rate at which frames of each camera are segmented; 0: no limit', unit='Hz', minimum=0.0, maximum=1000.0)
    lazy: bool = parameter(
        True, 'Subscribe to a camera only while something subscribes to its outputs; false: always')
    max_batch: int = parameter(
        0, 'Maximum number of frames, each of a different camera, that run through the network as one batch; 0: one per '
        'camera, at most 4', minimum=0, maximum=64)
    overlay_jpeg_quality: int = parameter(80, 'JPEG quality of ~/overlay/compressed', minimum=1, maximum=100)
    overlay_max_rate_hz: float = parameter(
        0.0, 'Maximum rate at which the overlay of each camera is drawn; 0: with every mask', unit='Hz', minimum=0.0,
        maximum=1000.0)
    overlay_alpha: float = parameter(0.5, 'Opacity of the class colours in the overlay', minimum=0.0, maximum=1.0)
    overlay_legend: bool = parameter(False, 'Show class names and colours at the top of the overlay')
    colors: str = parameter(
        'class_map', "Class colours: class_map (the data set's own) or contrast (easy to tell apart, also for colour-blind "
        "people)", choices=COLORS)
    mask_png: str = parameter(
        'grey', 'Format of ~/mask/compressed: grey, or palette (colours for viewers; OpenCV then reads colours, not values)',
        choices=MASK_PNGS)
    image_transport: str = fixed_parameter(
        'raw', 'raw: Image on image; compressed: CompressedImage on image/compressed', choices=('raw', 'compressed'))
    bit_depth: int = fixed_parameter(
        0, 'Significant bits of 16-bit images, 9..16; 0: derived from the values', minimum=0, maximum=16)
    diagnostics_period_s: float = fixed_parameter(
        1.0, 'Period of messages on /diagnostics', unit='s', minimum=0.1, maximum=60.0)
    no_image_warning_s: float = parameter(
        5.0, 'Diagnostics warn when no image has arrived for this long', unit='s', minimum=0.1, maximum=3600.0)
    no_image_error_s: float = parameter(
        0.0, 'Diagnostics report an error when no image has arrived for this long; 0: never', unit='s', minimum=0.0, maximum=3600.0)
    slow_warning_share: float = parameter(
        0.5, 'Diagnostics warn when the segmented share of received frames is below this; 0: never', minimum=0.0, maximum=1.0)
    latency_warning_ms: float = parameter(
        0.0, 'Diagnostics warn when the p95 latency, image received to all outputs published, exceeds this; 0: never',
        unit='ms', minimum=0.0, maximum=60000.0)
    latency_error_ms: float = parameter(
        0.0, 'Diagnostics report an error when the p95 latency, image received to all outputs published, exceeds this; 0: never',
        unit='ms', minimum=0.0, maximum=60000.0)
    # Outputs. Lists of names are strings, not arrays: an empty array has no type in a parameter file.
    output_size: str = parameter(
        'input', 'Size of mask and confidence: input (size of the image), network (network resolution), or WIDTHxHEIGHT')
    label_ids: str = parameter(
        'training', "Values in the mask: training (the network's class indices) or dataset (the ids of the class map)",
        choices=LABEL_IDS)
    class_filter: str = parameter(
        '', 'Classes to keep, comma-separated names after remapping; the others become 255; empty: all')
    class_remap: str = parameter(
        '', 'NAME=TARGET, comma-separated; TARGET: a class to merge into, unlabelled, or a value 0..254')
    min_confidence: float = parameter(
        0.0, 'Pixels with lower confidence become unlabelled in mask and overlay; 0: none',
        minimum=0.0, maximum=1.0)
    doubtful_warning_share: float = parameter(
        0.0, 'Diagnostics warn when a larger share of pixels is below min_confidence, a sign of scenes unlike the '
        'training data; 0: never', minimum=0.0, maximum=1.0)
    temporal_smoothing: float = parameter(
        0.0, 'Weight of previous frames in each mask, warped along the optical flow: 0.7 reduces flicker by a quarter',
        minimum=0.0, maximum=0.95)
    class_map_period_s: float = fixed_parameter(
        10.0, 'Repeat class map and label info at this period, so that every file of a split bag has them; 0: only '
        'when they change', unit='s', minimum=0.0, maximum=3600.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.cameras:
            if not CAMERA_NAME.fullmatch(name) or self.cameras.count(name) > 1:
                raise ValueError(
                    f'parameter cameras has {name!r}: expected unique names that are valid in a topic name')
        if 0 < self.bit_depth < 9:
            raise ValueError(f'parameter bit_depth is {self.bit_depth}: expected 9..16, or 0')
        ladder = self.resolution_ladder
        if not ladder or ladder[0] != 1.0 or ladder[-1] <= 0 or not all(a > b for a, b in zip(ladder, ladder[1:])):
            raise ValueError(f'parameter resolution_ladder is {list(ladder)}: expected scales in descending order from 1.0, '
                             'such as [1.0, 0.75, 0.5]')

    @property
    def thresholds(self) -> Thresholds:
        """Limits for diagnostic warnings and errors."""
        return Thresholds(**{item.name: getattr(self, item.name) for item in fields(Thresholds)})

    @property
    def batch(self) -> int:
        """Maximum batch size; a batch never has two frames of one camera."""
        return min(self.max_batch or DEFAULT_BATCH, max(len(self.cameras), 1))
