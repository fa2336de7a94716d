# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the segmentation node."""
from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Sequence

from fanet_ros.choices import COLORS, ENGINES, LABEL_IDS, MASK_PNGS, PRECISIONS, VARIANTS
from fanet_ros.ros.common.parameters import Settings, fixed_parameter, parameter
from fanet_ros.ros.segmentation.diagnostics import Thresholds

DEFAULT_BATCH = 4       # a batch takes memory, and every frame waits for all of it
CAMERA_NAME = re.compile(r'[A-Za-z]\w*(/[A-Za-z]\w*)*')


def _camera_names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name)


@dataclass(frozen=True)
class SegmentationSettings(Settings):
    """What the parameters of segmentation_node say; `cameras` is empty where there is only the one."""

    autostart: bool = fixed_parameter(True, 'Configure and activate at once; false: a lifecycle manager does it')
    cameras: tuple[str, ...] = fixed_parameter(
        [''], 'Names of several cameras: NAME/image in, ~/NAME/mask out; empty: image in, ~/mask out',
        none=[''], convert=_camera_names)
    checkpoint: str = parameter('fanet18_camvid', 'Name of a shipped checkpoint, or the path of one')
    variant: str = parameter('auto', 'Network the checkpoint must be; auto takes whatever it is', choices=('auto', *VARIANTS))
    class_map: str = parameter('', "YAML file with other class names and colours; empty: the checkpoint's own")
    device: str = fixed_parameter('auto', 'auto (CUDA where there is one), cpu, cuda or cuda:N')
    engine: str = parameter('auto', 'What runs the network; auto: the fastest on this machine, measured once', choices=ENGINES)
    precision: str = parameter(
        'auto', 'Arithmetic of the network; auto: float16 on CUDA, float32 on the CPU', choices=PRECISIONS)
    calibration_images: str = parameter('', 'Folder of frames of this camera, which precision int8 is calibrated on')
    num_threads: int = fixed_parameter(0, "CPU threads of the network; 0: torch's choice", minimum=0, maximum=256)
    # No range here: that 1..63 is impossible although 0 is allowed, no range can say, so the network checks.
    input_height: int = parameter(
        0, "Height the network runs at, 64..8192; 0: in the image's own shape, with the checkpoint's number of pixels",
        unit='px')
    input_width: int = parameter(
        0, "Width the network runs at, 64..8192; 0: in the image's own shape, with the checkpoint's number of pixels",
        unit='px')
    input_scale: float = parameter(
        1.0, 'Both of them times this: another size of the same shape by one number', minimum=0.1, maximum=4.0)
    latency_budget_ms: float = parameter(
        0.0, 'The resolution steps down while the p95 from image received to mask published is longer, and up again when '
        'that fits; 0: it stays', unit='ms', minimum=0.0, maximum=60000.0)
    resolution_ladder: tuple[float, ...] = parameter(
        [1.0, 0.75, 0.5, 0.375], 'Shares of input_height and input_width that latency_budget_ms chooses from, falling from '
        '1.0', none=[1.0], convert=tuple)
    max_frame_age_ms: float = parameter(
        0.0, "Frames whose stamp is older, by the node's clock, are dropped; 0: none is",
        unit='ms', minimum=0.0, maximum=60000.0)
    max_rate_hz: float = parameter(
        0.0, 'Frames of each camera that are segmented in a second at most; 0: all', unit='Hz', minimum=0.0, maximum=1000.0)
    lazy: bool = parameter(
        True, 'Listen to a camera only while somebody subscribes to what is made of its images; false: always')
    max_batch: int = parameter(
        0, 'Frames of different cameras that run through the network together when they wait together; 0: one of each '
        'camera, at most 4', minimum=0, maximum=64)
    overlay_jpeg_quality: int = parameter(80, 'Quality of ~/overlay/compressed', minimum=1, maximum=100)
    overlay_alpha: float = parameter(0.5, 'Share of the class colours in the overlay', minimum=0.0, maximum=1.0)
    overlay_legend: bool = parameter(False, 'Names of the classes with their colours at the top of the overlay')
    colors: str = parameter(
        'class_map', "Colours of the classes: class_map (the data set's own) or contrast (told apart, with colour-blind eyes "
        "too)", choices=COLORS)
    mask_png: str = parameter(
        'grey', '~/mask/compressed: grey, or palette (in colours for viewers; OpenCV then reads colours, not values)',
        choices=MASK_PNGS)
    image_transport: str = fixed_parameter(
        'raw', 'raw: Image on image; compressed: CompressedImage on image/compressed', choices=('raw', 'compressed'))
    bit_depth: int = fixed_parameter(
        0, 'Bits of 16-bit images that carry signal, 9..16; 0: as many as the values need', minimum=0, maximum=16)
    diagnostics_period_s: float = fixed_parameter(
        1.0, 'Time between two messages on /diagnostics', unit='s', minimum=0.1, maximum=60.0)
    no_image_warning_s: float = parameter(
        5.0, 'Diagnostics warn when no image came for this long', unit='s', minimum=0.1, maximum=3600.0)
    no_image_error_s: float = parameter(
        0.0, 'Diagnostics report an error when no image came for this long; 0: never', unit='s', minimum=0.0, maximum=3600.0)
    slow_warning_share: float = parameter(
        0.5, 'Diagnostics warn when a smaller share of the frames that arrive is segmented; 0: never', minimum=0.0, maximum=1.0)
    latency_warning_ms: float = parameter(
        0.0, 'Diagnostics warn when the p95 from image received to all of it published is longer; 0: never',
        unit='ms', minimum=0.0, maximum=60000.0)
    latency_error_ms: float = parameter(
        0.0, 'Diagnostics report an error when the p95 from image received to all of it published is longer; 0: never',
        unit='ms', minimum=0.0, maximum=60000.0)
    # Outputs. No list of names is an array: an empty one has no type in a parameter file.
    output_size: str = parameter(
        'input', "Size of mask and confidence: input (the image's), network (that of its input), or WIDTHxHEIGHT")
    label_ids: str = parameter(
        'training', "Values in the mask: training (the network's class indices) or dataset (the ids of the class map)",
        choices=LABEL_IDS)
    class_filter: str = parameter(
        '', 'Names of the classes to keep, as remapped, separated by commas; the others become 255; empty: all')
    class_remap: str = parameter(
        '', 'NAME=TARGET, separated by commas; TARGET: a class to merge it into, unlabelled, or a value 0..254')
    min_confidence: float = parameter(
        0.0, 'Pixels of which the network is less sure become unlabelled in mask and overlay; 0: none does',
        minimum=0.0, maximum=1.0)
    doubtful_warning_share: float = parameter(
        0.0, 'Diagnostics warn when a larger share of the pixels is below min_confidence: the robot may have left the world '
        'that the network was trained for; 0: never', minimum=0.0, maximum=1.0)
    temporal_smoothing: float = parameter(
        0.0, 'Share of the frames before in each mask, along the optical flow: 0.7 flickers a quarter less',
        minimum=0.0, maximum=0.95)
    class_map_period_s: float = fixed_parameter(
        10.0, 'Publish class map and label info again after this time, so that every file of a split bag has them; 0: only '
        'when they change', unit='s', minimum=0.0, maximum=3600.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.cameras:
            if not CAMERA_NAME.fullmatch(name) or self.cameras.count(name) > 1:
                raise ValueError(
                    f'parameter cameras has {name!r}: expected different names that can be part of a topic')
        if 0 < self.bit_depth < 9:
            raise ValueError(f'parameter bit_depth is {self.bit_depth}: expected 9..16, or 0')
        ladder = self.resolution_ladder
        if not ladder or ladder[0] != 1.0 or ladder[-1] <= 0 or any(a <= b for a, b in zip(ladder, ladder[1:])):
            raise ValueError(f'parameter resolution_ladder is {list(ladder)}: expected shares that fall from 1.0, '
                             'such as [1.0, 0.75, 0.5]')

    @property
    def thresholds(self) -> Thresholds:
        """When diagnostics are more than OK."""
        return Thresholds(**{item.name: getattr(self, item.name) for item in fields(Thresholds)})

    @property
    def batch(self) -> int:
        """How many frames run together at most: never two of one camera."""
        return min(self.max_batch or DEFAULT_BATCH, max(len(self.cameras), 1))
