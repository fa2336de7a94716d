"""Every parameter of the segmentation node, in one table: the YAML and the README are checked against it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Union

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from fanet_ros.inference.engines import ENGINES, PRECISIONS

Value = Union[str, int, float, bool, list[str]]


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter: its default (which gives the type), what it means, and what it may be."""

    name: str
    default: Value
    description: str
    unit: str = ''
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: tuple[str, ...] = ()
    read_only: bool = False

    def descriptor(self) -> ParameterDescriptor:
        """What `ros2 param describe` shows; ROS itself enforces range, type and read-only."""
        descriptor = ParameterDescriptor(
            name=self.name, description=self.description + (f' [{self.unit}]' if self.unit else ''),
            read_only=self.read_only, additional_constraints=self.constraint if self.choices else '')
        if self.minimum is not None and self.maximum is not None:
            if isinstance(self.default, int):
                descriptor.integer_range = [
                    IntegerRange(from_value=int(self.minimum), to_value=int(self.maximum))]
            else:
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=float(self.minimum), to_value=float(self.maximum))]
        return descriptor

    @property
    def constraint(self) -> str:
        """The allowed values in words; empty if anything goes."""
        if self.choices:
            return 'one of ' + ', '.join(self.choices)
        if self.minimum is None or self.maximum is None:
            return ''
        if self.maximum >= 2**31 - 1:       # only there to complete the range
            return f'{self.minimum:g} or more'
        return f'{self.minimum:g}..{self.maximum:g}'


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
)


def declare(node: Node, specs: Sequence[ParameterSpec]) -> dict[str, Value]:
    """Declare all `specs` on `node` and return their start-up values by name.

    :raises ValueError: a value that is none of its choices
    """
    values = {spec.name: node.declare_parameter(spec.name, spec.default, spec.descriptor()).value
              for spec in specs}
    for spec in specs:
        if spec.choices and values[spec.name] not in spec.choices:
            raise ValueError(f'parameter {spec.name} is {values[spec.name]!r}: expected {spec.constraint}')
    return values


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


def declare_settings(node: Node) -> SegmentationSettings:
    """Declare and read all parameters of the segmentation node.

    :raises ValueError: a value that is none of its choices
    :raises rclpy.exceptions.ParameterException: a value of the wrong type or out of range
    """
    return SegmentationSettings(**declare(node, SEGMENTATION_PARAMETERS))
