"""Every parameter of the segmentation node, in one table: the YAML and the README are checked against it."""
from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from fanet_ros.inference import LABEL_IDS
from fanet_ros.inference.engines import ENGINES, PRECISIONS
from fanet_ros.ros.parameters import ParameterSpec, declare

SEGMENTATION_PARAMETERS: tuple[ParameterSpec, ...] = (
    ParameterSpec('checkpoint', 'fanet18_camvid', 'Name of a shipped checkpoint, or the path of one',
                  read_only=True),
    ParameterSpec('variant', 'auto', 'Network the checkpoint must be; auto takes whatever it is',
                  choices=('auto', 'fanet18', 'fanet34', 'fanet50'), read_only=True),
    ParameterSpec('class_map', '',
                  "YAML file with other class names and colours; empty: the checkpoint's own",
                  read_only=True),
    ParameterSpec('device', 'auto', 'auto (CUDA where there is one), cpu, cuda or cuda:N', read_only=True),
    ParameterSpec('engine', 'auto', 'What runs the network; auto: the fastest on this machine, measured once',
                  choices=ENGINES, read_only=True),
    ParameterSpec('precision', 'auto', 'Arithmetic of the network; auto: float16 on CUDA, float32 on the CPU',
                  choices=PRECISIONS, read_only=True),
    ParameterSpec('calibration_images', '', 'Folder of frames of this camera, which precision int8 is calibrated on',
                  read_only=True),
    ParameterSpec('num_threads', 0, "CPU threads of the network; 0: torch's choice", minimum=0, maximum=256,
                  read_only=True),
    # No range here: that 1..63 is impossible although 0 is allowed, no range can say, so the network checks.
    ParameterSpec('input_height', 0, "Height the network runs at, 64..8192; 0: the checkpoint's own",
                  unit='px'),
    ParameterSpec('input_width', 0, "Width the network runs at, 64..8192; 0: the checkpoint's own",
                  unit='px'),
    ParameterSpec('overlay_alpha', 0.5, 'Share of the class colours in the overlay', minimum=0.0,
                  maximum=1.0),
    ParameterSpec('image_transport', 'raw',
                  'raw: Image on image; compressed: CompressedImage on image/compressed',
                  choices=('raw', 'compressed'), read_only=True),
    ParameterSpec('diagnostics_period_s', 1.0, 'Time between two messages on /diagnostics', unit='s',
                  minimum=0.1, maximum=60.0, read_only=True),
    ParameterSpec('no_image_warning_s', 5.0, 'Warn when no image came for this long', unit='s', minimum=0.1,
                  maximum=3600.0),
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
    ParameterSpec('class_map_period_s', 10.0,
                  'Publish class map and label info again after this time, so that every file of a split bag has them; '
                  '0: only when they change', unit='s', minimum=0.0, maximum=3600.0, read_only=True),
)


@dataclass(frozen=True)
class SegmentationSettings:
    """The values of SEGMENTATION_PARAMETERS, checked, by the same names."""

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
    overlay_alpha: float
    image_transport: str
    diagnostics_period_s: float
    no_image_warning_s: float
    output_size: str
    label_ids: str
    class_filter: str
    class_remap: str
    class_map_period_s: float


def declare_settings(node: Node) -> SegmentationSettings:
    """Declare and read all parameters of the segmentation node.

    :raises ValueError: a value that is none of its choices
    :raises rclpy.exceptions.ParameterException: a value of the wrong type or out of range
    """
    return SegmentationSettings(**declare(node, SEGMENTATION_PARAMETERS))
