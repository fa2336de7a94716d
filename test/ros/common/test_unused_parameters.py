# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Unused parameters are reported, with a suggestion for misspelt names."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rclpy
from rclpy.context import Context

from fanet_ros.ros.common.parameter_file import Section
from fanet_ros.ros.common.unused_parameters import unused_parameters

NAMES = ('input_height', 'input_width', 'checkpoint', 'device')


@pytest.fixture(name='unused')
def unused_fixture(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """The reports for a node started with these arguments: unused('-p', 'a:=1', file=CONTENT, namespace='/front')."""
    contexts = []

    def lines(*argv: str, file: str = '', namespace: str = '') -> list[str]:
        contexts.append(Context())
        path = tmp_path / 'mine.yaml'
        path.write_text(file)
        arguments = ['node', '--ros-args', *argv, *(['--params-file', str(path)] if file else [])]
        rclpy.init(args=arguments, context=contexts[-1])
        node = rclpy.create_node('segmentation', namespace=namespace, context=contexts[-1])
        return [line.replace(str(tmp_path), '') for line in unused_parameters(node, NAMES, arguments)]
    yield lines
    for context in contexts:
        rclpy.shutdown(context=context)


def section(name: str, *lines: str) -> str:
    return f'{name}:\n  ros__parameters:\n' + ''.join(f'    {line}\n' for line in lines)


def test_misspelt_name_is_reported_with_a_suggestion(unused: Callable[..., list[str]]) -> None:
    assert unused('-p', 'use_sim_time:=true', '-p', 'qos_overrides./image.subscription.depth:=3',
                  file=section('/**', 'input_heigth: 240', 'input: {width: 320}', 'device: cpu', 'zzz: 1')) == [
        'input_heigth is not a parameter of this node: did you mean input_height?',
        'input.width is not a parameter of this node: did you mean input_width?',
        'zzz is not a parameter of this node']


def test_file_for_another_node_is_reported(unused: Callable[..., list[str]]) -> None:
    assert unused(file=section('segmentation_node', 'input_height: 240')) == [
        '/mine.yaml is not used: it has parameters for segmentation_node, and this node is /segmentation']
    # A node name without namespace is global.
    assert unused(file=section('segmentation', 'input_height: 240'), namespace='/front') == [
        '/mine.yaml is not used: it has parameters for segmentation, and this node is /front/segmentation']
    assert unused(file='# nothing\n') == [
        '/mine.yaml is not used: it has parameters for no node, and this node is /segmentation']


def test_tags_of_launch_are_ignored_as_ros_does(unused: Callable[..., list[str]]) -> None:
    lines = 'device: !!python/tuple [a, b]', 'input_heigth: !x 3', 'checkpoint: !y {z: 1}'
    assert unused(file=section('/segmentation', *lines)) == [
        'input_heigth is not a parameter of this node: did you mean input_height?',
        'checkpoint.z is not a parameter of this node: did you mean checkpoint?']


def test_section_with_this_nodes_parameters_is_reported_next_to_a_wildcard(unused: Callable[..., list[str]]) -> None:
    general = section('/**', 'use_sim_time: true')
    assert unused(file=general + section('segmentation_node', 'input_height: 240', 'device: cpu')) == [
        'the parameters of segmentation_node in /mine.yaml are not used: this node is /segmentation']
    assert not unused(file=general + section('lidar', 'device: /dev/ttyUSB0', 'rate: 10', 'port: 3'))


@pytest.mark.parametrize('name', ['segmentation', '/segmentation', '/**', '/**/segmentation', '/*'])
def test_used_section_is_not_reported(unused: Callable[..., list[str]], name: str) -> None:
    file = section(name, 'input_height: 240') + section('segmentation_left', 'input_height: 120', 'device: cpu')
    expected = [] if '*' not in name else [
        'the parameters of segmentation_left in /mine.yaml are not used: this node is /segmentation']
    assert unused(file=file) == expected


def test_rule_for_another_node_is_reported(unused: Callable[..., list[str]]) -> None:
    assert unused('-p', 'segmentation_node:device:=cpu', '-p', 'segmentation:device:=cpu') == [
        '-p segmentation_node:device:=cpu is not used: this node is /segmentation']


@pytest.mark.parametrize(('pattern', 'name', 'holds'), [
    ('/**', '/a', True), ('/**', '/b/c/a', True), ('/*/a', '/b/a', True), ('/*/a', '/b/c/a', False), ('b/a', '/b/a', True),
    ('/**/a', '/a', True), ('/**/a', '/b/c/a', True), ('a', '/b/a', False), ('/front_*/a', '/front_1/a', True)])
def test_name_patterns(pattern: str, name: str, holds: bool) -> None:
    assert Section(pattern).holds_for(name) == holds
