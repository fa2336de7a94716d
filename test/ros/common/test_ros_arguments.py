# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS arguments rewritten for the ROS parser, checked against what ROS then reads."""
from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.context import Context

from fanet_ros.ros.common.ros_arguments import even_lists, parameter_arguments, why_refused, with_even_lists


def parameters_of(*argv: str) -> dict[str, Any]:
    """Parameters that a node named segmentation receives from these arguments."""
    context = Context()
    with ExitStack() as files:
        rclpy.init(args=with_even_lists(['node', *argv], files), context=context)
    try:
        node = rclpy.create_node('segmentation', context=context)
        return {name: item.value for name, item in node._parameter_overrides.items()}
    finally:
        rclpy.shutdown(context=context)


def reason_for(*argv: str) -> str:
    argv = ('node', *argv)
    with ExitStack() as files:
        given = with_even_lists(argv, files)
        with pytest.raises(RuntimeError, match="Couldn't parse") as raised:
            rclpy.init(args=given, context=Context())
    return why_refused(raised.value, argv, given)


@pytest.mark.parametrize(('text', 'values'), [
    ('[1, 0.5]', [1.0, 0.5]), ('[0.5, -1, +2]', [0.5, -1.0, 2.0]), ('[1, 1e-1]', [1.0, 0.1]), ('[2, 1]', [2, 1]),
    ("['1', '0.5']", ['1', '0.5']), ('[a, b]', ['a', 'b'])])
def test_list_of_integers_and_floats_becomes_floats(tmp_path: Path, text: str, values: list[Any]) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(f'# [1, 0.5]\n/**:\n  ros__parameters:\n    before: "[1, 0.5]"\n    deep: {{ladder: {text}}}\n    after: 3\n')
    assert parameters_of('--ros-args', '--params-file', str(path), '-p', f'given:={text}') == {
        'before': '[1, 0.5]', 'deep.ladder': pytest.approx(values) if isinstance(values[0], float) else values,
        'after': 3, 'given': pytest.approx(values) if isinstance(values[0], float) else values}


def test_multi_line_list_keeps_its_comments() -> None:
    assert even_lists('a:\n- 1   # one\n- 0.5\n- 2\n') == 'a:\n- 1.0   # one\n- 0.5\n- 2.0\n'
    assert even_lists('a: [1, 2]\nb: [1, x, 0.5]\nc: 1\n') == 'a: [1, 2]\nb: [1, x, 0.5]\nc: 1\n'


def test_only_ros_arguments_are_parsed() -> None:
    argv = ['node', '-p', 'a:=1', '--ros-args', '-p', 'b:=2', '--params-file', 'c.yaml', '-r', 'd:=e', '--', '-p', 'f:=3',
            '--ros-args', '--param', 'g:=4']
    assert [(argv[index], is_file) for index, is_file in parameter_arguments(argv)] == [
        ('b:=2', False), ('c.yaml', True), ('g:=4', False)]


@pytest.mark.parametrize(('content', 'said'), [
    ('/**:\n  ros__parameters:\n    ladder: [1, 0.5\n', "line 4: expected ',' or ']'"),
    ('/**:\n  ros__parameters:\n\ta: 1\n', "line 3: found character '\\t' that cannot start any token"),
    ('/**:\n  ros_parameters:\n    a: 1\n', 'Cannot have a value before ros__parameters at line 3'),
    ('/**:\n  ros__parameters:\n    a: [1, 0.5]\n    b: [1, x]\n', "Value type 'string' do not belong at line_num 4"),
    (None, 'opening YAML file')])
def test_parse_error_names_file_and_line(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / 'mine.yaml'
    if content is not None:
        path.write_text(content)
    reason = reason_for('--ros-args', '--params-file', str(path))
    assert said in reason and str(path) in reason and '.c:' not in reason and reason.count('.yaml') == 1


def test_parse_error_quotes_the_parameter_rule() -> None:
    reason = reason_for('--ros-args', '-p', 'ladder:=[1, 0.5')
    assert 'ladder:=[1, 0.5' in reason and '.c:' not in reason
