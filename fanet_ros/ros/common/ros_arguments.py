# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS arguments of a process: finds the parameters in them, and rewrites them so that the ROS parser accepts them."""
from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from typing import Iterator, Optional, Sequence

import yaml

PARAMETER_FLAGS, FILE_FLAG = ('-p', '--param'), '--params-file'
WHOLE_NUMBER = re.compile(r'[-+]?(0|[1-9][0-9]*)')
PLACE_IN_RCL = re.compile(r',? at /\S+\.c(pp)?:\d+')


def parameter_arguments(argv: Sequence[str]) -> Iterator[tuple[int, bool]]:
    """Index in `argv` of each NAME:=VALUE (with False) and of each parameter file (with True)."""
    is_ros = False
    for index, text in enumerate(argv):
        if text in ('--ros-args', '--'):
            is_ros = text == '--ros-args'
        elif is_ros and argv[index - 1] in (*PARAMETER_FLAGS, FILE_FLAG):
            yield index, argv[index - 1] == FILE_FLAG


def with_even_lists(argv: Sequence[str], files: ExitStack) -> list[str]:
    """`argv` with every list that mixes integers and floats, which ROS refuses, converted to floats.

    :param files: owns the temporary copies of parameter files that had to be changed
    """
    result = list(argv)
    for index, is_file in parameter_arguments(argv):
        try:
            if not is_file:
                name, assignment, value = argv[index].partition(':=')
                result[index] = name + assignment + even_lists(value)
                continue
            with open(argv[index], encoding='utf-8') as file:
                text = file.read()
            if (even := even_lists(text)) != text:
                copy = files.enter_context(tempfile.NamedTemporaryFile('w', suffix='.yaml', encoding='utf-8'))
                copy.write(even)
                copy.flush()
                result[index] = copy.name
        except (OSError, ValueError, yaml.YAMLError):
            pass        # ROS reports what is wrong with it
    return result


def even_lists(text: str) -> str:
    """YAML `text` with '.0' appended to the integers of every list that also has floats.

    :raises yaml.YAMLError: `text` is not valid YAML
    """
    ends = [item.end_mark.index for values in _number_lists(yaml.compose(text)) for item in values
            if WHOLE_NUMBER.fullmatch(item.value)]
    for end in sorted(ends, reverse=True):
        text = f'{text[:end]}.0{text[end:]}'
    return text


def _number_lists(node: Optional[yaml.Node]) -> Iterator[list[yaml.ScalarNode]]:
    """The elements of every list of numbers that are not all integers."""
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _number_lists(value)
    elif isinstance(node, yaml.SequenceNode):
        are_plain = all(isinstance(item, yaml.ScalarNode) and item.style is None for item in node.value)
        if are_plain and all(_is_number(item.value) for item in node.value) and not all(
                WHOLE_NUMBER.fullmatch(item.value) for item in node.value):
            yield node.value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def why_refused(error: Exception, argv: Sequence[str], given_to_ros: Sequence[str]) -> str:
    """Readable reason why rcl refused the arguments: no source locations, and file and line of a YAML error.

    :param error: raised by rclpy.init()
    :param argv: as the user gave them
    :param given_to_ros: as passed to rclpy.init(), from with_even_lists()
    """
    for index, is_file in parameter_arguments(argv):
        if is_file:
            try:
                with open(argv[index], encoding='utf-8') as file:
                    yaml.compose(file)
            except yaml.MarkedYAMLError as fault:
                line = f', line {fault.problem_mark.line + 1}' if fault.problem_mark else ''
                return f'{argv[index]}{line}: {fault.problem}'
            except (OSError, ValueError, yaml.YAMLError):
                pass
    text = PLACE_IN_RCL.sub('', str(error)).removeprefix('failed to initialize rcl: ')
    for name, copy in zip(argv, given_to_ros):
        text = text.replace(copy, name)
    return text
