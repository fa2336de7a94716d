# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node parameters as launch arguments. For those omitted, the parameter file applies."""
from __future__ import annotations

import os
from typing import Sequence, Union

from launch.actions import DeclareLaunchArgument
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration
from launch_ros.parameter_descriptions import ParameterValue

from fanet_ros.launch_arguments import in_namespace, number
from fanet_ros.ros.common.parameter_file import parameters_for
from fanet_ros.ros.common.parameters import Settings


def parameter_arguments(settings: type[Settings], names: Sequence[str], file_argument: str) -> list[DeclareLaunchArgument]:
    """A launch argument for each parameter in `names`, with the parameter's description.

    :param file_argument: name of the launch argument with the parameter file, which gives the defaults
    """
    specs = {spec.name: spec for spec in settings.specs()}
    return [DeclareLaunchArgument(name, default_value='', description=f'{specs[name].meaning} (default: as in {file_argument})')
            for name in names]


def given_parameters(
        context: LaunchContext, settings: type[Settings], names: Sequence[str]) -> dict[str, Union[int, float, ParameterValue]]:
    """Values of those launch arguments in `names` that were given.

    :raises ValueError: the text given for a number is not one
    """
    kinds = {spec.name: type(spec.default) for spec in settings.specs()}
    texts = {name: LaunchConfiguration(name).perform(context) for name in names}
    return {name: number(name, text, kinds[name]) if kinds[name] in (int, float)
            else ParameterValue(LaunchConfiguration(name), value_type=kinds[name]) for name, text in texts.items() if text}


def node_inputs(context: LaunchContext) -> dict[str, str]:
    """`cameras` and `image_transport` of the segmentation node, by the launch arguments or else by its params_file.

    Texts as for these arguments: of several cameras in the file, NAME,NAME; empty for one camera and for what is the default.
    """
    given = {name: LaunchConfiguration(name, default='').perform(context)
             for name in ('cameras', 'image_transport', 'namespace', 'params_file')}
    in_file = parameters_for(os.path.expanduser(given['params_file']), in_namespace('segmentation', given['namespace']))
    cameras = in_file.get('cameras')
    return {'cameras': given['cameras'] or ','.join(map(str, cameras) if isinstance(cameras, list) else ()),
            'image_transport': given['image_transport'] or ('compressed' if in_file.get('image_transport') == 'compressed' else '')}
