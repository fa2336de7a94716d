"""What a parameter is, and how a node declares a table of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Sequence, Union

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

Value = Union[str, int, float, bool, list[str], list[float]]


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


def declare(node: Node, specs: Sequence[ParameterSpec]) -> dict[str, Value]:
    """Declare all `specs` on `node` and return their start-up values by name.

    :raises ValueError: a value that is none of its choices
    """
    values = {spec.name: node.declare_parameter(spec.name, spec.default, spec.descriptor()).value
              for spec in specs}
    check_choices(specs, values)
    return values


def check_choices(specs: Sequence[ParameterSpec], values: Mapping[str, Any]) -> None:
    """Refuse a value that is none of its parameter's choices.

    :raises ValueError: there is one
    """
    for spec in specs:
        if spec.choices and values[spec.name] not in spec.choices:
            raise ValueError(f'parameter {spec.name} is {values[spec.name]!r}: expected {spec.constraint}')
