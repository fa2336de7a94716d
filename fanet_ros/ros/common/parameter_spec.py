# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Specification of a ROS parameter: type, range, description, and conversion of its values."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, Union

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

Value = Union[str, int, float, bool, list[str], list[float]]


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter: name, default (which sets the type), description and allowed values.

    `none`: for a list parameter, the value that an empty list, which has no type in ROS, stands for.
    `convert`: turns the ROS value into the settings value; raises ValueError if it is invalid.
    """

    name: str
    default: Value
    description: str
    unit: str = ''
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: tuple[str, ...] = ()
    read_only: bool = False
    none: Optional[Union[list[str], list[float]]] = None
    convert: Optional[Callable[[Any], Any]] = None

    def descriptor(self) -> ParameterDescriptor:
        """Descriptor as shown by `ros2 param describe`; ROS itself enforces range, type and read-only."""
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
        """The allowed values in words; empty if unrestricted."""
        if self.choices:
            return 'one of ' + ', '.join(self.choices)
        if self.minimum is None or self.maximum is None:
            return ''
        if self.maximum >= 2**31 - 1:       # ROS ranges need a maximum; this one means unlimited
            return f'{self.minimum:.15g} or more'
        return f'{self.minimum:.15g}..{self.maximum:.15g}'

    @property
    def details(self) -> str:
        """Unit and allowed values in words; empty if there is neither."""
        return ', '.join(filter(None, [self.unit, self.constraint]))

    @property
    def meaning(self) -> str:
        """Description, unit and allowed values in words."""
        return self.description + (f' ({self.details})' if self.details else '')

    def setting(self, value: Any) -> Any:
        """The settings value for the ROS `value`.

        :raises ValueError: `value` is invalid
        """
        return value if self.convert is None else self.convert(value)

    def fit(self, value: Any) -> Any:
        """`value` in the type of the default where the conversion is lossless, such as int to float.

        Other values are returned unchanged, for ROS to refuse. At start-up, ROS turns an empty list into None;
        `ros2 param set` sends a list that mixes integers and floats as text.
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


def check_choices(specs: Sequence[ParameterSpec], values: Mapping[str, Any]) -> None:
    """Check every value against the choices of its parameter.

    :raises ValueError: a value is not among the choices
    """
    for spec in specs:
        if spec.choices and values[spec.name] not in spec.choices:
            raise ValueError(f'parameter {spec.name} is {values[spec.name]!r}: expected {spec.constraint}')


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read_numbers(text: str) -> Any:
    """The list of numbers in `text`; any other text is returned unchanged."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, list) and all(map(_is_number, value)) else text
