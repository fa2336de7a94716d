# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a parameter is, and how a node declares a table of them."""
from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, TypeVar, Union

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.ros.common.qos_overrides import follow_remapping
from fanet_ros.ros.common.unused_parameters import no_such_parameter, unused_parameters

Value = Union[str, int, float, bool, list[str], list[float]]
_Kind = TypeVar('_Kind')


class ParameterValues(dict[str, Value]):
    """Values of parameters by name."""

    def read(self, name: str, kind: type[_Kind]) -> _Kind:
        """The value of `name`, which is a `kind`: ROS keeps a parameter to the type of its default.

        :raises TypeError: it is of another type than the default that the caller has in mind
        """
        value = self[name]
        if not isinstance(value, kind):
            raise TypeError(f'parameter {name} is {value!r}: expected {kind.__name__}')
        return value


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
    none: Optional[Union[list[str], list[float]]] = None     # of a list: what an empty one, which has no type in ROS, stands for

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
            return f'{self.minimum:.15g} or more'
        return f'{self.minimum:.15g}..{self.maximum:.15g}'

    def fit(self, value: Any) -> Any:
        """`value` in the type of the default where nothing is lost by it: a whole number is a number too.

        What does not fit stays as it is, for ROS to refuse. None is what ROS makes of an empty list at the start;
        `ros2 param set` sends a list of whole and other numbers as text.
        """
        if isinstance(self.default, float):
            return float(value) if _is_number(value) else value
        if self.none is None:
            return value
        if isinstance(value, str):
            value = _read_numbers(value)
        if value is None or (not isinstance(value, str) and not len(value)):
            return self.none
        if isinstance(self.default, list) and isinstance(self.default[0], float) and all(map(_is_number, value)):
            return [float(item) for item in value]
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read_numbers(text: str) -> Any:
    """The list of numbers that `text` holds; anything else stays text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, list) and all(map(_is_number, value)) else text


class FittedParameters(Node):
    """Fits what is set while a node runs as declare() fits what it is started with; stands before another class of rclpy."""

    parameter_specs: Sequence[ParameterSpec] = ()

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """What every service and `ros2 param set` go through, in all releases of ROS."""
        specs = {spec.name: spec for spec in self.parameter_specs}
        for item in parameter_list:
            if not self.has_parameter(item.name):       # which rclpy refuses too, without the name
                return SetParametersResult(successful=False, reason=no_such_parameter(item.name, specs))
        return super().set_parameters_atomically([
            Parameter(item.name, value=specs[item.name].fit(item.value))
            if item.name in specs and item.value is not None else item for item in parameter_list])


def declare(node: Node, specs: Sequence[ParameterSpec], tell: Optional[Callable[[str], Any]] = None) -> ParameterValues:
    """Declare all `specs` on `node` and return their start-up values by name.

    :param tell: is given a line for everything that was given for the node and is not used; None: a warning in its log
    :raises ValueError: a value that is none of its choices
    """
    follow_remapping(node)
    for line in unused_parameters(node, [spec.name for spec in specs], sys.argv):
        (tell or node.get_logger().warning)(line)
    given = node._parameter_overrides       # nothing public tells them before they are declared, nor lets them be changed
    values = ParameterValues()
    for spec in specs:
        if spec.name in given:
            value = spec.fit(given[spec.name].value)
            if value is None:
                raise ValueError(f'parameter {spec.name} is an empty list: expected a value such as {spec.default!r}')
            given[spec.name] = Parameter(spec.name, value=value)
        values[spec.name] = node.declare_parameter(spec.name, spec.default, spec.descriptor()).value
    check_choices(specs, values)
    return values


def check_choices(specs: Sequence[ParameterSpec], values: Mapping[str, Any]) -> None:
    """Refuse a value that is none of its parameter's choices.

    :raises ValueError: there is one
    """
    for spec in specs:
        if spec.choices and values[spec.name] not in spec.choices:
            raise ValueError(f'parameter {spec.name} is {values[spec.name]!r}: expected {spec.constraint}')
