# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Node settings: their declaration in ROS, and conversion of ROS values to settings."""
from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError, asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fanet_ros.ros.bag.player_parameters import PlayerSettings
from fanet_ros.ros.bag.recorder_parameters import RecorderSettings
from fanet_ros.ros.bag.recorder_topics import DEFAULT_TOPICS, TopicRequest
from fanet_ros.ros.common.parameter_spec import ParameterSpec
from fanet_ros.ros.common.parameters import Settings, declare, fixed_parameter, parameter
from fanet_ros.ros.dashboard.parameters import DashboardSettings
from fanet_ros.ros.parameter_tables import SETTINGS
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

TABLES = {name: settings.specs() for name, settings in SETTINGS.items()}
DEFAULTS = {spec.name: spec.default for spec in SegmentationSettings.specs()}


@dataclass(frozen=True)
class LampSettings(Settings):
    """One parameter of each kind, and a derived field."""

    power: float = parameter(0.5, 'Share of full power', minimum=0.0, maximum=1.0)
    colours: tuple[str, ...] = parameter(['red'], 'Allowed colours', none=['any'], convert=tuple)
    log: Path = fixed_parameter('', 'Log file', convert=Path)
    is_on: bool = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, 'is_on', self.power > 0)


@pytest.fixture(name='make_node')
def make_node_fixture() -> Iterator[Callable[..., Node]]:
    """Creates a node that was started with the given parameters."""
    context = Context()
    rclpy.init(context=context)

    def make(**overrides: Any) -> Node:
        return rclpy.create_node('parameters', context=context, parameter_overrides=[
            Parameter(name, value=value) for name, value in overrides.items()])
    yield make
    rclpy.shutdown(context=context)


def test_field_is_the_whole_declaration(make_node: Callable[..., Node]) -> None:
    assert LampSettings() == LampSettings(0.5, ('red',), Path()) and LampSettings().is_on
    power, colours, log = LampSettings.specs()
    assert (power.name, power.default, power.constraint, power.read_only, log.read_only) == ('power', 0.5, '0..1', False, True)
    node = make_node(power=0, log='/var/lamp')
    settings = LampSettings.declare(node)
    assert settings == LampSettings(0.0, ('red',), Path('/var/lamp')) and not settings.is_on
    assert node.describe_parameter('colours').description == colours.description
    with pytest.raises(FrozenInstanceError, match='power'):
        settings.power = 1.0    # type: ignore[misc]  # must fail


def test_change_is_converted_and_derived_fields_follow() -> None:
    changed = LampSettings().changed([Parameter('power', value=0.0), Parameter('colours', value=['blue', 'red'])])
    assert changed == LampSettings(0.0, ('blue', 'red')) and not changed.is_on


@pytest.mark.parametrize('executable', SETTINGS)
def test_settings_have_values_of_the_declared_types(executable: str) -> None:
    given = {'bag': Path('drive')} if executable == 'player_node' else {}
    settings = SETTINGS[executable](**given)
    for name, kind in typing.get_type_hints(type(settings)).items():
        assert isinstance(getattr(settings, name), typing.get_origin(kind) or kind), name
    hash(settings)      # only possible if all values are immutable


@pytest.mark.parametrize('table', TABLES)
def test_specs_are_consistent(table: str) -> None:
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
def test_node_declares_and_describes_the_defaults(make_node: Callable[..., Node], table: str) -> None:
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


def test_settings_have_the_start_up_values(make_node: Callable[..., Node]) -> None:
    changes = {'input_height': 360, 'overlay_alpha': 1.0, 'image_transport': 'compressed', 'device': 'cpu'}
    expected = {**DEFAULTS, **changes, 'cameras': (), 'resolution_ladder': tuple(DEFAULTS['resolution_ladder'])}
    assert asdict(SegmentationSettings.declare(make_node(**changes))) == expected
    settings = SegmentationSettings.declare(make_node(cameras=['front', 'rear/left'], resolution_ladder=[1.0, 0.5]))
    assert (settings.cameras, settings.resolution_ladder) == (('front', 'rear/left'), (1.0, 0.5))


def test_change_is_checked_as_a_whole(make_node: Callable[..., Node]) -> None:
    settings = SegmentationSettings.declare(make_node())
    changed = settings.changed([Parameter('engine', value='torch'), Parameter('elsewhere', value=1),
                                          Parameter('resolution_ladder', value=[1.0, 0.5])])
    assert (changed.engine, changed.resolution_ladder) == ('torch', (1.0, 0.5))
    with pytest.raises(ValueError, match='parameter precision is .int3.: expected one of'):
        settings.changed([Parameter('engine', value='torch'), Parameter('precision', value='int3')])


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
    ('cameras', ['höhe'], "parameter cameras has 'höhe'"),
    ('resolution_ladder', [0.5, 1.0], 'parameter resolution_ladder is'),
    ('resolution_ladder', [1.0, 0.5, 0.5], 'scales in descending order from 1.0'),
    ('resolution_ladder', [1.0, 0.0], 'scales in descending order from 1.0'),
    ('resolution_ladder', [1.0, float('nan'), 0.5], 'scales in descending order from 1.0'),
])
def test_invalid_value_is_refused_by_name(
        make_node: Callable[..., Node], name: str, value: Any, error: str) -> None:
    with pytest.raises((ValueError, ParameterException), match=error):
        SegmentationSettings.declare(make_node(**{name: value}))


def test_constraints_in_words() -> None:
    assert ParameterSpec('x', 'a', 'x', choices=('a', 'b')).constraint == 'one of a, b'
    assert ParameterSpec('x', 0.5, 'x', minimum=0.0, maximum=1.0).constraint == '0..1'
    assert ParameterSpec('x', 0, 'x', minimum=0, maximum=2147483647).constraint == '0 or more'
    assert ParameterSpec('x', 'a', 'x').constraint == ''


def test_recorder_settings(make_node: Callable[..., Node]) -> None:
    settings = RecorderSettings.declare(make_node())
    assert settings.topics == tuple(TopicRequest.parse(text) for text in DEFAULT_TOPICS)
    assert settings.output.name.startswith('rosbag2_')
    settings = RecorderSettings.declare(make_node(
        output='/data/drive', topics=['/tf:tf2_msgs/msg/TFMessage', 'image'], missing_warning_s=2.0))
    assert settings == RecorderSettings(
        Path('/data/drive'), (TopicRequest('/tf', 'tf2_msgs/msg/TFMessage'), TopicRequest('image', None)), 2.0, 0.0, 0)


@pytest.mark.parametrize('text', ['', ':sensor_msgs/msg/Image', 'image:', 'image:Image', 'image:a/b/c/d'])
def test_malformed_recorder_topic_is_named(make_node: Callable[..., Node], text: str) -> None:
    with pytest.raises(ValueError, match=f'topic {text!r}: expected NAME or NAME:PACKAGE/msg/TYPE'):
        RecorderSettings.declare(make_node(topics=['image', text]))


def test_the_player_needs_a_bag(make_node: Callable[..., Node]) -> None:
    with pytest.raises(ValueError, match='parameter bag is empty: expected the directory of a bag'):
        PlayerSettings.declare(make_node())
    settings = PlayerSettings.declare(make_node(bag='~/drive', topics='image, /tf,'))
    assert (settings.bag, settings.topics) == (Path.home() / 'drive', ('image', '/tf'))


def test_dashboard_open_to_the_network_requires_explicit_allow_changes(make_node: Callable[..., Node], tmp_path: Path) -> None:
    token_file = tmp_path / 'token'
    token_file.write_text('0123456789abcdef\n')
    settings = DashboardSettings.declare(make_node())
    assert settings.is_local and settings.allow_changes and not settings.token
    settings = DashboardSettings.declare(make_node(address='0.0.0.0', token_file=str(token_file)))
    assert not settings.is_local and not settings.allow_changes and settings.token == '0123456789abcdef'
    assert '0123456789' not in repr(settings)
    assert DashboardSettings.declare(make_node(address='0.0.0.0', allow_changes=True)).allow_changes
    with pytest.raises(ValueError, match="parameter address is 'here': expected an IP address"):
        DashboardSettings.declare(make_node(address='here'))
