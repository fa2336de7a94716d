# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameter tables: what files, settings and ROS make of them."""
from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
import rclpy
import yaml
from rclpy.context import Context
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.package_share import share_directory
from fanet_ros.ros.bag import recorder_parameters
from fanet_ros.ros.bag.player_parameters import PLAYER_PARAMETERS
from fanet_ros.ros.bag.recorder_parameters import RECORDER_PARAMETERS, RecorderSettings
from fanet_ros.ros.bag.recorder_topics import DEFAULT_TOPICS, TopicRequest
from fanet_ros.ros.camera.parameters import CAMERA_PARAMETERS
from fanet_ros.ros.common.parameters import ParameterSpec, declare
from fanet_ros.ros.segmentation.parameters import SEGMENTATION_PARAMETERS, SegmentationSettings, changed_settings, declare_settings

TABLES = {'segmentation': SEGMENTATION_PARAMETERS, 'camera': CAMERA_PARAMETERS, 'recorder': RECORDER_PARAMETERS,
          'player': PLAYER_PARAMETERS}
DEFAULTS = {spec.name: spec.default for spec in SEGMENTATION_PARAMETERS}


@pytest.fixture(name='make_node')
def make_node_fixture() -> Iterator[Callable[..., Node]]:
    """Makes a node that was started with these parameters."""
    context = Context()
    rclpy.init(context=context)

    def make(**overrides: Any) -> Node:
        return rclpy.create_node('parameters', context=context, parameter_overrides=[
            Parameter(name, value=value) for name, value in overrides.items()])
    yield make
    rclpy.shutdown(context=context)


def test_the_file_of_the_segmentation_node_holds_every_parameter_with_its_default() -> None:
    path = share_directory() / 'config' / 'segmentation.param.yaml'
    content = yaml.safe_load(path.read_text(encoding='utf-8'))['/**']['ros__parameters']
    assert content == DEFAULTS
    assert {name: type(value) for name, value in content.items()} == {
        name: type(value) for name, value in DEFAULTS.items()}


def test_the_file_marks_what_is_fixed() -> None:
    lines = (share_directory() / 'config' / 'segmentation.param.yaml').read_text(encoding='utf-8').splitlines()
    for spec in SEGMENTATION_PARAMETERS:
        line = next(line for line in lines if line.strip().startswith(f'{spec.name}:'))
        assert line.endswith('; fixed') == spec.read_only, line


def test_settings_are_the_tables_in_names_and_types() -> None:
    types = typing.get_type_hints(SegmentationSettings)
    assert [field.name for field in fields(SegmentationSettings)] == [spec.name for spec in SEGMENTATION_PARAMETERS]
    of_list = {list: tuple}         # lists become tuples, which cannot change
    assert {name: of_list.get(type(value), type(value)) for name, value in DEFAULTS.items()} == {
        name: typing.get_origin(kind) or kind for name, kind in types.items()}
    assert [field.name for field in fields(RecorderSettings)] == [spec.name for spec in RECORDER_PARAMETERS]


@pytest.mark.parametrize('table', TABLES)
def test_every_entry_is_sound(table: str) -> None:
    specs = TABLES[table]
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert spec.description and not spec.description.endswith('.'), spec.name
        assert not spec.choices or spec.default in spec.choices, spec.name
        assert (spec.minimum is None) == (spec.maximum is None), spec.name
        if spec.minimum is not None:
            assert spec.minimum <= spec.default <= spec.maximum, spec.name
        assert spec.name.endswith(('_s', '_hz')) == (spec.unit in ('s', 'Hz')), spec.name


@pytest.mark.parametrize('table', TABLES)
def test_a_node_declares_the_defaults_and_describes_them(make_node: Callable[..., Node], table: str) -> None:
    node = make_node()
    assert declare(node, TABLES[table]) == {spec.name: spec.default for spec in TABLES[table]}
    for spec in TABLES[table]:
        descriptor = node.describe_parameter(spec.name)
        assert descriptor.read_only == spec.read_only and spec.description in descriptor.description
        assert descriptor.description.endswith(f'[{spec.unit}]') == bool(spec.unit)
        ranges = [*descriptor.integer_range, *descriptor.floating_point_range]
        assert [(limits.from_value, limits.to_value) for limits in ranges] == (
            [] if spec.minimum is None else [(spec.minimum, spec.maximum)])
        assert not spec.choices or all(choice in descriptor.additional_constraints for choice in spec.choices)


def test_settings_take_the_values_of_the_start(make_node: Callable[..., Node]) -> None:
    changes = {'input_height': 360, 'overlay_alpha': 1.0, 'image_transport': 'compressed', 'device': 'cpu'}
    expected = {**DEFAULTS, **changes, 'cameras': (), 'resolution_ladder': tuple(DEFAULTS['resolution_ladder'])}
    assert asdict(declare_settings(make_node(**changes))) == expected
    settings = declare_settings(make_node(cameras=['front', 'rear/left'], resolution_ladder=[1.0, 0.5]))
    assert (settings.cameras, settings.resolution_ladder) == (('front', 'rear/left'), (1.0, 0.5))


def test_a_change_is_checked_as_a_whole(make_node: Callable[..., Node]) -> None:
    settings = declare_settings(make_node())
    changed = changed_settings(settings, [Parameter('engine', value='torch'), Parameter('elsewhere', value=1),
                                          Parameter('resolution_ladder', value=[1.0, 0.5])])
    assert (changed.engine, changed.resolution_ladder) == ('torch', (1.0, 0.5))
    with pytest.raises(ValueError, match='parameter precision is .int3.: expected one of'):
        changed_settings(settings, [Parameter('engine', value='torch'), Parameter('precision', value='int3')])


@pytest.mark.parametrize(('name', 'value', 'error'), [
    ('image_transport', 'theora', "parameter image_transport is 'theora': expected one of raw, compressed"),
    ('variant', '', 'parameter variant is'),
    ('overlay_alpha', 1.1, 'overlay_alpha'),
    ('overlay_alpha', float('nan'), 'overlay_alpha'),
    ('num_threads', -1, 'num_threads'),
    ('input_height', 360.0, 'input_height'),
    ('checkpoint', 3, 'checkpoint'),
    ('diagnostics_period_s', 0.0, 'diagnostics_period_s'),
    ('cameras', ['front', 'front'], "parameter cameras has 'front'"),
    ('cameras', ['not a name'], "parameter cameras has 'not a name'"),
    ('resolution_ladder', [0.5, 1.0], 'parameter resolution_ladder is'),
    ('resolution_ladder', [1.0, 0.5, 0.5], 'shares that fall from 1.0'),
    ('resolution_ladder', [1.0, 0.0], 'shares that fall from 1.0'),
])
def test_a_value_that_cannot_be_is_refused_by_name(
        make_node: Callable[..., Node], name: str, value: Any, error: str) -> None:
    with pytest.raises((ValueError, ParameterException), match=error):
        declare_settings(make_node(**{name: value}))


def test_constraints_in_words() -> None:
    assert ParameterSpec('x', 'a', 'x', choices=('a', 'b')).constraint == 'one of a, b'
    assert ParameterSpec('x', 0.5, 'x', minimum=0.0, maximum=1.0).constraint == '0..1'
    assert ParameterSpec('x', 0, 'x', minimum=0, maximum=2147483647).constraint == '0 or more'
    assert ParameterSpec('x', 'a', 'x').constraint == ''


def test_recorder_settings(make_node: Callable[..., Node]) -> None:
    settings = recorder_parameters.declare_settings(make_node())
    assert settings.topics == tuple(TopicRequest.parse(text) for text in DEFAULT_TOPICS)
    assert settings.output.name.startswith('rosbag2_')
    settings = recorder_parameters.declare_settings(make_node(
        output='/data/drive', topics=['/tf:tf2_msgs/msg/TFMessage', 'image'], missing_warning_s=2.0))
    assert settings == RecorderSettings(
        Path('/data/drive'), (TopicRequest('/tf', 'tf2_msgs/msg/TFMessage'), TopicRequest('image', None)), 2.0, 0.0, 0)


@pytest.mark.parametrize('text', ['', ':sensor_msgs/msg/Image', 'image:', 'image:Image', 'image:a/b/c/d'])
def test_a_malformed_topic_of_the_recorder_is_named(make_node: Callable[..., Node], text: str) -> None:
    with pytest.raises(ValueError, match=f'topic {text!r}: expected NAME or NAME:PACKAGE/msg/TYPE'):
        recorder_parameters.declare_settings(make_node(topics=['image', text]))
