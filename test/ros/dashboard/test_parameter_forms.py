# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversion of parameters between node, page and file."""
from __future__ import annotations

from typing import Any

import pytest
import yaml
from rcl_interfaces.msg import ParameterType
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.topic_endpoint_info import TopicEndpointInfo

from fanet_ros.ros.dashboard.image_topic import find_image_topic
from fanet_ros.ros.dashboard.other_version import own_hash, why_unreadable
from fanet_ros.ros.dashboard.parameter_forms import describe, params_file, to_parameter
from fanet_ros.ros.segmentation.parameters import SegmentationSettings

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
SPECS = {spec.name: spec for spec in SegmentationSettings.specs()}


def described(name: str) -> dict[str, Any]:
    spec = SPECS[name]
    return describe(spec.descriptor(), Parameter(name, value=spec.default).to_parameter_msg().value)


def test_a_descriptor_gives_range_unit_choices_and_whether_it_is_fixed() -> None:
    budget = described('latency_budget_ms')
    assert budget['unit'] == 'ms' and budget['range'] == [0.0, 60000.0] and budget['type'] == 'double' and not budget['fixed']
    assert budget['description'] == SPECS['latency_budget_ms'].description
    assert described('engine')['choices'] == list(SPECS['engine'].choices)
    assert described('cameras')['fixed'] and described('cameras')['value'] == ['']
    assert described('overlay_jpeg_quality')['range'] == [1, 100]


@pytest.mark.parametrize(('kind', 'value', 'stored'), [
    (ParameterType.PARAMETER_DOUBLE, 1, 1.0), (ParameterType.PARAMETER_BOOL, False, False),
    (ParameterType.PARAMETER_INTEGER, 7, 7), (ParameterType.PARAMETER_STRING, 'x', 'x'),
    (ParameterType.PARAMETER_DOUBLE_ARRAY, [1, 0.5], [1.0, 0.5]), (ParameterType.PARAMETER_STRING_ARRAY, ['a'], ['a'])])
def test_a_value_from_the_page_is_converted_to_the_declared_type(kind: int, value: Any, stored: Any) -> None:
    message = to_parameter('name', value, kind).to_parameter_msg()
    assert message.value.type == kind and parameter_value_to_python(message.value) == stored


@pytest.mark.parametrize(('kind', 'value', 'expected'), [
    (ParameterType.PARAMETER_DOUBLE, 'fast', 'a number'), (ParameterType.PARAMETER_DOUBLE, True, 'a number'),
    (ParameterType.PARAMETER_INTEGER, 1.5, 'a whole number'), (ParameterType.PARAMETER_INTEGER, 2**63, 'a whole number'),
    (ParameterType.PARAMETER_BOOL, 1, 'true or false'), (ParameterType.PARAMETER_STRING, None, 'text'),
    (ParameterType.PARAMETER_STRING, 'x' * 5000, 'text'), (ParameterType.PARAMETER_STRING, 'a\0b', 'text'),
    (ParameterType.PARAMETER_DOUBLE, 10**400, 'a number'),
    (ParameterType.PARAMETER_DOUBLE_ARRAY, [1, 'a'], 'a list of numbers'),
    (ParameterType.PARAMETER_BYTE_ARRAY, [1], 'a type that the page can send')])
def test_a_value_of_the_wrong_type_is_refused_with_the_expected_type(kind: int, value: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=f'name: expected {expected}, got') as error:
        to_parameter('name', value, kind)
    assert len(str(error.value)) < 150


def test_the_params_file_contains_every_value_for_any_node() -> None:
    text = params_file('/segmentation', map(described, SPECS), 'for a test')
    content = yaml.safe_load(text)
    assert content == {'/**': {'ros__parameters': {name: spec.default for name, spec in SPECS.items()}}}
    assert '[ms]' in text and max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize(('camera', 'published', 'heard', 'expected'), [
    ('', {}, [], None),
    ('', {'/image': [IMAGE]}, [], ('/image', IMAGE)),
    ('', {'/image/compressed': [COMPRESSED]}, [], ('/image/compressed', COMPRESSED)),
    ('', {'/image': [IMAGE]}, [('/cam/raw', [IMAGE]), ('/cam/info', ['sensor_msgs/msg/CameraInfo'])], ('/cam/raw', IMAGE)),
    ('front', {}, [('/front/image', [IMAGE]), ('/left/image', [IMAGE])], ('/front/image', IMAGE)),
    ('front', {'/image': [IMAGE]}, [('/a/image', [IMAGE]), ('/b/image', [IMAGE])], ('/image', IMAGE)),
    ('left', {}, [('/front/image', [IMAGE])], None),        # a lazy node: only the other camera is in use
    ('', {'/image': ['std_msgs/msg/String']}, [], None)])
def test_the_cameras_topic_is_the_one_the_node_subscribes_to(camera: str, published: dict, heard: list, expected: Any) -> None:
    assert find_image_topic(camera, '/image', published, heard) == expected


@pytest.mark.parametrize(('published', 'expected'), [
    ({'/eye': [COMPRESSED], '/left/image': [IMAGE]}, ('/eye', COMPRESSED)),
    ({'/left/image': [IMAGE]}, ('/left/image', IMAGE)), ({'/eye': ['std_msgs/msg/String']}, None)])
def test_the_topic_that_the_node_names_takes_precedence(published: dict, expected: Any) -> None:
    heard = [('/left/image', [IMAGE])] if '/left/image' in published else []
    assert find_image_topic('left', '/other', published, heard, '/eye') == expected


def test_messages_of_another_version_are_not_read() -> None:
    type_hash = pytest.importorskip('rclpy.type_hash', reason='Humble has no type hashes').TypeHash
    name = 'fanet_ros/msg/FrameTiming'

    def why(topic_type: str, type_hash: Any) -> str:
        return why_unreadable('/t', name, [TopicEndpointInfo(topic_type=topic_type, topic_type_hash=type_hash)])
    assert own_hash(name).startswith('RIHS01_')
    assert why(name, type_hash(1, bytes.fromhex(own_hash(name).partition('_')[2]))) == ''
    assert 'another version of fanet_ros' in why(name, type_hash(1, bytes(32)))
    assert 'carries std_msgs/msg/String, expected' in why('std_msgs/msg/String', type_hash())
    assert why(name, type_hash()) == why_unreadable('/t', name, []) == ''
