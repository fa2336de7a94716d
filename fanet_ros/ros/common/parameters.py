# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node parameters as a dataclass: its fields are the single source for ROS declarations, YAML files and documentation.

    @dataclass(frozen=True)
    class LampSettings(Settings):
        brightness: float = parameter(0.5, 'Share of full power', minimum=0.0, maximum=1.0)
        log_file: Path = fixed_parameter('', 'Log file of switching', convert=Path)

    settings = LampSettings.declare(node)
"""
from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Iterable, Optional, Sequence, TypeVar, Union

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.ros.common.parameter_spec import ParameterSpec, Value, check_choices
from fanet_ros.ros.common.qos_overrides import follow_remapping
from fanet_ros.ros.common.unused_parameters import no_such_parameter, unused_parameters

SPEC = 'parameter'      # in a field's metadata
SETTING_SERVICES = 'set_parameters', 'set_parameters_atomically'
_Settings = TypeVar('_Settings', bound='Settings')


def parameter(
        default: Value, description: str, *, unit: str = '', minimum: Optional[float] = None, maximum: Optional[float] = None,
        choices: tuple[str, ...] = (), read_only: bool = False, none: Optional[Union[list[str], list[float]]] = None,
        convert: Optional[Callable[[Any], Any]] = None) -> Any:
    """Dataclass field of Settings that declares a parameter of the same name; arguments as in ParameterSpec."""
    spec = ParameterSpec('', default, description, unit, minimum, maximum, choices, read_only, none, convert)
    return field(default_factory=lambda: spec.setting(default), metadata={SPEC: spec})


def fixed_parameter(default: Value, description: str, **rest: Any) -> Any:
    """A read-only parameter(): read at start-up, cannot be changed afterwards."""
    return parameter(default, description, read_only=True, **rest)


@dataclass(frozen=True)
class Settings:
    """Values of a node's parameters by name; fields that are not a parameter() are derived from them.

    :raises ValueError: a value is invalid in a way that ROS cannot check
    """

    def __post_init__(self) -> None:
        check_choices(self.specs(), vars(self))

    @classmethod
    def specs(cls) -> tuple[ParameterSpec, ...]:
        """All parameters, in field order."""
        return tuple(replace(item.metadata[SPEC], name=item.name) for item in fields(cls) if SPEC in item.metadata)

    @classmethod
    def declare(cls: type[_Settings], node: Node, tell: Optional[Callable[[str], Any]] = None) -> _Settings:
        """Declare all parameters on `node` and read their start-up values.

        :param tell: called with a line for each unused parameter or parameter file; None: log it as a warning
        :raises ValueError: a value is invalid in a way that ROS cannot check
        :raises rclpy.exceptions.ParameterException: a value has the wrong type or is out of range
        """
        values = declare(node, cls.specs(), tell)
        return cls(**{spec.name: spec.setting(values[spec.name]) for spec in cls.specs()})

    def changed(self: _Settings, parameters: Iterable[Parameter]) -> _Settings:
        """A copy with the values of `parameters`; unknown names are ignored.

        :raises ValueError: a value is invalid in a way that ROS cannot check
        """
        specs = {spec.name: spec for spec in self.specs()}
        return replace(self, **{item.name: specs[item.name].setting(item.value) for item in parameters if item.name in specs})


class FittedParameters(Node):
    """Mixin that converts parameters set at run time as declare() does at start-up; precedes the rclpy node class in the bases."""

    parameter_specs: Sequence[ParameterSpec] = ()

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Convert the values first; every way to set a parameter ends here, in all ROS releases.

        The reason in the result of an accepted change is warning_about() it, which `ros2 param set` prints.
        """
        specs = {spec.name: spec for spec in self.parameter_specs}
        for item in parameter_list:
            if not self.has_parameter(item.name):       # rclpy would refuse it too, but without naming it
                return SetParametersResult(successful=False, reason=no_such_parameter(item.name, specs))
        result = super().set_parameters_atomically([
            Parameter(item.name, value=specs[item.name].fit(item.value))
            if item.name in specs and item.value is not None else item for item in parameter_list])
        if result.successful:       # rclpy drops the reasons of callbacks that accept
            result.reason = self.warning_about([item.name for item in parameter_list])
        return result

    def warning_about(self, changed: Sequence[str]) -> str:
        """A drawback of the present values of the parameters `changed`, in a few words; '' for none."""
        return ''

    def count_setting_clients(self) -> int:
        """Number of clients of the services that set parameters; 0 in Humble, which does not tell."""
        if not hasattr(self, 'count_clients'):
            return 0
        return sum(self.count_clients(f'{self.get_fully_qualified_name()}/{name}') for name in SETTING_SERVICES)


def declare(node: Node, specs: Sequence[ParameterSpec], tell: Optional[Callable[[str], Any]] = None) -> dict[str, Any]:
    """Declare all `specs` on `node` and return their start-up values by name, unconverted; errors as in Settings.declare()."""
    follow_remapping(node)
    for line in unused_parameters(node, [spec.name for spec in specs], sys.argv):
        (tell or node.get_logger().warning)(line)
    given = node._parameter_overrides       # no public API reads or changes them before declaration
    values = {}
    for spec in specs:
        if spec.name in given:
            value = spec.fit(given[spec.name].value)
            if value is None:
                raise ValueError(f'parameter {spec.name} is an empty list: expected a value such as {spec.default!r}')
            given[spec.name] = Parameter(spec.name, value=value)
        values[spec.name] = node.declare_parameter(spec.name, spec.default, spec.descriptor()).value
    check_choices(specs, values)
    return values
