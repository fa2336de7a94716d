# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS arguments of a process: which parameters they give, and these in a form that the parser of ROS understands."""
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
    """Indices in `argv` of NAME:=VALUE (False) and of the names of parameter files (True)."""
    is_ros = False
    for index, text in enumerate(argv):
        if text in ('--ros-args', '--'):
            is_ros = text == '--ros-args'
        elif is_ros and argv[index - 1] in (*PARAMETER_FLAGS, FILE_FLAG):
            yield index, argv[index - 1] == FILE_FLAG


def with_even_lists(argv: Sequence[str], files: ExitStack) -> list[str]:
    """`argv` with every list of whole and other numbers, which ROS refuses, made one of the latter.

    :param files: keeps the copies of parameter files that had to be changed
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
            pass        # ROS will say what is wrong with it
    return result


def even_lists(text: str) -> str:
    """YAML, with '.0' behind the whole numbers of every list that holds others too.

    :raises yaml.YAMLError: it is none
    """
    ends = [item.end_mark.index for values in _number_lists(yaml.compose(text)) for item in values
            if WHOLE_NUMBER.fullmatch(item.value)]
    for end in sorted(ends, reverse=True):
        text = f'{text[:end]}.0{text[end:]}'
    return text


def _number_lists(node: Optional[yaml.Node]) -> Iterator[list[yaml.ScalarNode]]:
    """The elements of every list of numbers that are not all whole."""
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
    """What rcl says, without the places in its sources, and of a file that is no YAML where and why."""
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
