# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a parameter is to ROS, and which values are fit for it."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, Union

import yaml
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

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
    none: Optional[Union[list[str], list[float]]] = None     # of a list: what an empty one, which has no type in ROS, stands for
    convert: Optional[Callable[[Any], Any]] = None           # makes of ROS's value what the settings hold; ValueError: it is wrong

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

    @property
    def details(self) -> str:
        """Unit and allowed values in words; empty if there is neither."""
        return ', '.join(filter(None, [self.unit, self.constraint]))

    @property
    def meaning(self) -> str:
        """All of it in words."""
        return self.description + (f' ({self.details})' if self.details else '')

    def setting(self, value: Any) -> Any:
        """What the settings hold for `value` of ROS.

        :raises ValueError: there is no such thing
        """
        return value if self.convert is None else self.convert(value)

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


def check_choices(specs: Sequence[ParameterSpec], values: Mapping[str, Any]) -> None:
    """Refuse a value that is none of its parameter's choices.

    :raises ValueError: there is one
    """
    for spec in specs:
        if spec.choices and values[spec.name] not in spec.choices:
            raise ValueError(f'parameter {spec.name} is {values[spec.name]!r}: expected {spec.constraint}')


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read_numbers(text: str) -> Any:
    """The list of numbers that `text` holds; anything else stays text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if isinstance(value, list) and all(map(_is_number, value)) else text
