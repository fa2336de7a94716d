# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the segmentation node, in one table: the YAML and docs/parameters.md are checked against it."""
from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any, Callable, Mapping, Optional, Sequence

from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.choices import COLORS, ENGINES, LABEL_IDS, MASK_PNGS, PRECISIONS, VARIANTS
from fanet_ros.ros.common.parameters import ParameterSpec, check_choices, declare
from fanet_ros.ros.segmentation.diagnostics import Thresholds

DEFAULT_BATCH = 4       # a batch takes memory, and every frame waits for all of it
CAMERA_NAME = re.compile(r'[A-Za-z]\w*(/[A-Za-z]\w*)*')

SEGMENTATION_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec('autostart', True, 'Configure and activate at once; false: a lifecycle manager does it',
                  read_only=True),
    ParameterSpec('cameras', [''],
                  'Names of several cameras: NAME/image in, ~/NAME/mask out; empty: image in, ~/mask out',
                  read_only=True, none=['']),
    ParameterSpec('checkpoint', 'fanet18_camvid', 'Name of a shipped checkpoint, or the path of one'),
    ParameterSpec('variant', 'auto', 'Network the checkpoint must be; auto takes whatever it is',
                  choices=('auto', *VARIANTS)),
    ParameterSpec('class_map', '',
                  "YAML file with other class names and colours; empty: the checkpoint's own"),
    ParameterSpec('device', 'auto', 'auto (CUDA where there is one), cpu, cuda or cuda:N', read_only=True),
    ParameterSpec('engine', 'auto', 'What runs the network; auto: the fastest on this machine, measured once',
                  choices=ENGINES),
    ParameterSpec('precision', 'auto', 'Arithmetic of the network; auto: float16 on CUDA, float32 on the CPU',
                  choices=PRECISIONS),
    ParameterSpec('calibration_images', '', 'Folder of frames of this camera, which precision int8 is calibrated on'),
    ParameterSpec('num_threads', 0, "CPU threads of the network; 0: torch's choice", minimum=0, maximum=256,
                  read_only=True),
    # No range here: that 1..63 is impossible although 0 is allowed, no range can say, so the network checks.
    ParameterSpec('input_height', 0, "Height the network runs at, 64..8192; 0: in the image's own shape, "
                  "with the checkpoint's number of pixels", unit='px'),
    ParameterSpec('input_width', 0, "Width the network runs at, 64..8192; 0: in the image's own shape, "
                  "with the checkpoint's number of pixels", unit='px'),
    ParameterSpec('input_scale', 1.0, 'Both of them times this: another size of the same shape by one number', minimum=0.1,
                  maximum=4.0),
    ParameterSpec('latency_budget_ms', 0.0,
                  'The resolution steps down while the p95 from image received to mask published is longer, and up '
                  'again when that fits; 0: it stays', unit='ms', minimum=0.0, maximum=60000.0),
    ParameterSpec('resolution_ladder', [1.0, 0.75, 0.5, 0.375],
                  'Shares of input_height and input_width that latency_budget_ms chooses from, falling from 1.0', none=[1.0]),
    ParameterSpec('max_frame_age_ms', 0.0, "Frames whose stamp is older, by the node's clock, are dropped; 0: none is",
                  unit='ms', minimum=0.0, maximum=60000.0),
    ParameterSpec('max_rate_hz', 0.0, 'Frames of each camera that are segmented in a second at most; 0: all', unit='Hz',
                  minimum=0.0, maximum=1000.0),
    ParameterSpec('lazy', True,
                  'Listen to a camera only while somebody subscribes to what is made of its images; false: always'),
    ParameterSpec('max_batch', 0,
                  'Frames of different cameras that run through the network together when they wait together; 0: one of '
                  'each camera, at most 4', minimum=0, maximum=64),
    ParameterSpec('overlay_jpeg_quality', 80, 'Quality of ~/overlay/compressed', minimum=1, maximum=100),
    ParameterSpec('overlay_alpha', 0.5, 'Share of the class colours in the overlay', minimum=0.0,
                  maximum=1.0),
    ParameterSpec('overlay_legend', False, 'Names of the classes with their colours at the top of the overlay'),
    ParameterSpec('colors', 'class_map',
                  "Colours of the classes: class_map (the data set's own) or contrast (told apart, with colour-blind eyes too)",
                  choices=COLORS),
    ParameterSpec('mask_png', 'grey',
                  '~/mask/compressed: grey, or palette (in colours for viewers; OpenCV then reads colours, not values)',
                  choices=MASK_PNGS),
    ParameterSpec('image_transport', 'raw',
                  'raw: Image on image; compressed: CompressedImage on image/compressed',
                  choices=('raw', 'compressed'), read_only=True),
    ParameterSpec('bit_depth', 0, 'Bits of 16-bit images that carry signal, 9..16; 0: as many as the values need',
                  minimum=0, maximum=16, read_only=True),
    ParameterSpec('diagnostics_period_s', 1.0, 'Time between two messages on /diagnostics', unit='s',
                  minimum=0.1, maximum=60.0, read_only=True),
    ParameterSpec('no_image_warning_s', 5.0, 'Diagnostics warn when no image came for this long', unit='s', minimum=0.1,
                  maximum=3600.0),
    ParameterSpec('no_image_error_s', 0.0, 'They tell an error then; 0: never', unit='s', minimum=0.0, maximum=3600.0),
    ParameterSpec('slow_warning_share', 0.5, 'They warn when a smaller share of the frames that arrive is segmented; 0: never',
                  minimum=0.0, maximum=1.0),
    ParameterSpec('latency_warning_ms', 0.0,
                  'They warn when the p95 from image received to all of it published is longer; 0: never', unit='ms',
                  minimum=0.0, maximum=60000.0),
    ParameterSpec('latency_error_ms', 0.0, 'They tell an error then; 0: never', unit='ms', minimum=0.0, maximum=60000.0),
    # Outputs. No list of names is an array: an empty one has no type in a parameter file.
    ParameterSpec('output_size', 'input',
                  "Size of mask and confidence: input (the image's), network (that of its input), or WIDTHxHEIGHT"),
    ParameterSpec('label_ids', 'training',
                  "Values in the mask: training (the network's class indices) or dataset (the ids of the class map)",
                  choices=LABEL_IDS),
    ParameterSpec('class_filter', '',
                  'Names of the classes to keep, as remapped, separated by commas; the others become 255; empty: all'),
    ParameterSpec('class_remap', '',
                  'NAME=TARGET, separated by commas; TARGET: a class to merge it into, unlabelled, or a value 0..254'),
    ParameterSpec('min_confidence', 0.0,
                  'Pixels of which the network is less sure become unlabelled in mask and overlay; 0: none does',
                  minimum=0.0, maximum=1.0),
    ParameterSpec('doubtful_warning_share', 0.0,
                  'Diagnostics warn when a larger share of the pixels is below min_confidence: the robot may have left the '
                  'world that the network was trained for; 0: never', minimum=0.0, maximum=1.0),
    ParameterSpec('temporal_smoothing', 0.0,
                  'Share of the frames before in each mask, along the optical flow: 0.7 flickers a quarter less',
                  minimum=0.0, maximum=0.95),
    ParameterSpec('class_map_period_s', 10.0,
                  'Publish class map and label info again after this time, so that every file of a split bag has them; '
                  '0: only when they change', unit='s', minimum=0.0, maximum=3600.0, read_only=True),
)


@dataclass(frozen=True)
class SegmentationSettings:
    """The values of SEGMENTATION_PARAMETERS by the same names; `cameras` is empty where there is only the one.

    :raises ValueError: a value that ROS could not judge is wrong
    """

    autostart: bool
    cameras: tuple[str, ...]
    checkpoint: str
    variant: str
    class_map: str
    device: str
    engine: str
    precision: str
    calibration_images: str
    num_threads: int
    input_height: int
    input_width: int
    input_scale: float
    latency_budget_ms: float
    resolution_ladder: tuple[float, ...]
    max_frame_age_ms: float
    max_rate_hz: float
    lazy: bool
    max_batch: int
    overlay_jpeg_quality: int
    overlay_alpha: float
    overlay_legend: bool
    colors: str
    mask_png: str
    image_transport: str
    bit_depth: int
    diagnostics_period_s: float
    no_image_warning_s: float
    no_image_error_s: float
    slow_warning_share: float
    latency_warning_ms: float
    latency_error_ms: float
    output_size: str
    label_ids: str
    class_filter: str
    class_remap: str
    min_confidence: float
    doubtful_warning_share: float
    temporal_smoothing: float
    class_map_period_s: float

    def __post_init__(self) -> None:
        check_choices(SEGMENTATION_PARAMETERS, asdict(self))
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


def declare_settings(node: Node, tell: Optional[Callable[[str], Any]] = None) -> SegmentationSettings:
    """Declare and read all parameters of the segmentation node.

    :param tell: is given a line for everything that was given for the node and is not used; None: a warning in its log
    :raises ValueError: a value that is none of its choices
    :raises rclpy.exceptions.ParameterException: a value of the wrong type or out of range
    """
    return _settings(declare(node, SEGMENTATION_PARAMETERS, tell))


def changed_settings(settings: SegmentationSettings, parameters: Sequence[Parameter]) -> SegmentationSettings:
    """`settings` with the values of `parameters`, those of other names aside.

    :raises ValueError: a value that is none of its choices
    """
    values = asdict(settings)
    return _settings({**values, **{item.name: item.value for item in parameters if item.name in values}})


def _settings(values: Mapping[str, Any]) -> SegmentationSettings:
    return SegmentationSettings(**{
        **values, 'cameras': tuple(name for name in values['cameras'] if name),
        'resolution_ladder': tuple(values['resolution_ladder'])})
