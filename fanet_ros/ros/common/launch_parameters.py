# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node as arguments of a launch file. If omitted, the parameter file decides."""
from __future__ import annotations

from typing import Sequence, Union

from launch.actions import DeclareLaunchArgument
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration
from launch_ros.parameter_descriptions import ParameterValue

from fanet_ros.launch_arguments import number
from fanet_ros.ros.common.parameters import Settings


def parameter_arguments(settings: type[Settings], names: Sequence[str], file_argument: str) -> list[DeclareLaunchArgument]:
    """An argument for each of the parameters `names`, described as the parameter is; `file_argument` names the file."""
    specs = {spec.name: spec for spec in settings.specs()}
    return [DeclareLaunchArgument(name, default_value='', description=f'{specs[name].meaning} (default: as in {file_argument})')
            for name in names]


def given_parameters(
        context: LaunchContext, settings: type[Settings], names: Sequence[str]) -> dict[str, Union[int, float, ParameterValue]]:
    """The values of those of the arguments `names` that were given.

    :raises ValueError: of a number, what is none
    """
    kinds = {spec.name: type(spec.default) for spec in settings.specs()}
    texts = {name: LaunchConfiguration(name).perform(context) for name in names}
    return {name: number(name, text, kinds[name]) if kinds[name] in (int, float)
            else ParameterValue(LaunchConfiguration(name), value_type=kinds[name]) for name, text in texts.items() if text}
