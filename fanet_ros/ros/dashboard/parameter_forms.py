# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converts between ROS parameters and the page's JSON: plain values, with the contents of the descriptors."""
from __future__ import annotations

import textwrap
from typing import Any, Callable, Iterable, Mapping

import yaml
from rcl_interfaces.msg import ParameterDescriptor, ParameterType, ParameterValue
from rclpy.parameter import Parameter, parameter_value_to_python

CHOICES = 'one of '         # prefix of additional_constraints in this package
MAX_TEXT = 4096

# How a JSON value becomes a parameter of a type: name for messages, test, conversion.
_Kind = tuple[str, Callable[[Any], bool], Callable[[Any], Any]]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and '\0' not in value


def _list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) <= MAX_TEXT and all(map(test, value))


KINDS: dict[int, _Kind] = {
    ParameterType.PARAMETER_BOOL: ('true or false', lambda value: isinstance(value, bool), bool),
    ParameterType.PARAMETER_INTEGER: ('a whole number', _is_whole, int),
    ParameterType.PARAMETER_DOUBLE: ('a number', _is_number, float),
    ParameterType.PARAMETER_STRING: ('text', _is_text, str),
    ParameterType.PARAMETER_DOUBLE_ARRAY: (
        'a list of numbers', _list_of(_is_number), lambda value: [float(item) for item in value]),
    ParameterType.PARAMETER_INTEGER_ARRAY: ('a list of whole numbers', _list_of(_is_whole), list),
    ParameterType.PARAMETER_STRING_ARRAY: ('a list of texts', _list_of(_is_text), list),
    ParameterType.PARAMETER_BOOL_ARRAY: ('a list of true and false', _list_of(lambda value: isinstance(value, bool)), list),
}


def describe(descriptor: ParameterDescriptor, value: ParameterValue) -> dict[str, Any]:
    """Name, type, value, description, unit, range, choices and whether it is fixed, ready for JSON."""
    text, unit = descriptor.description, ''
    if text.endswith(']') and ' [' in text:
        text, _, unit = text[:-1].rpartition(' [')
    limits = [*descriptor.floating_point_range, *descriptor.integer_range]
    constraints = descriptor.additional_constraints
    type_name = Parameter.Type(value.type).name.lower() if value.type in KINDS else ''
    return {
        'name': descriptor.name, 'type': type_name, 'value': plain_value(value),
        'description': text, 'unit': unit, 'fixed': descriptor.read_only,
        'range': [limits[0].from_value, limits[0].to_value] if limits else None,
        'choices': constraints[len(CHOICES):].split(', ') if constraints.startswith(CHOICES) else None}


def plain_value(value: ParameterValue) -> Any:
    """The value as JSON can hold it; None for unset and byte array parameters."""
    if value.type not in KINDS:
        return None
    plain = parameter_value_to_python(value)
    return plain if isinstance(plain, (bool, int, float, str)) else list(plain)


def to_parameter(name: str, value: Any, parameter_type: int) -> Parameter:
    """Convert a value from JSON to a parameter of the declared type.

    :param parameter_type: ParameterType that the node declared
    :raises ValueError: the value does not fit; names the parameter, the expected type and the value
    """
    expected, fits, convert = KINDS.get(parameter_type, ('a type that the page can send', lambda value: False, str))
    if not fits(value):
        raise ValueError(f'{name}: expected {expected}, got {value!r:.60}')
    return Parameter(name, Parameter.Type(parameter_type), convert(value))


def params_file(node: str, parameters: Iterable[Mapping[str, Any]], made: str) -> str:
    """Text of a parameter file with the current values and their descriptions, valid for any node name (`/**`).

    :param parameters: from describe()
    :param made: when and by whom it was written, one line
    """
    lines = [f'# Parameters of {node}, {made}', '/**:', '  ros__parameters:']
    for item in parameters:
        if item['value'] is None or item['name'] == 'use_sim_time':      # set by a launch argument
            continue
        unit = f' [{item["unit"]}]' if item['unit'] else ''
        lines += textwrap.wrap(item['description'] + unit, 110, initial_indent='    # ', subsequent_indent='    # ')
        value = yaml.safe_dump(item['value'], default_flow_style=True, width=10**6).replace('\n...', '').strip()
        lines.append(f'    {item["name"]}: {value}')
    return '\n'.join(lines) + '\n'
