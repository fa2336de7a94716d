# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checks of launch arguments, tested without launch."""
import sys

import pytest

from fanet_ros.launch_arguments import (
    SEGMENTATION_ARGUMENTS,
    camera_topics,
    flag,
    in_namespace,
    number,
    refuse_unknown,
    refuse_without_effect,
    require_rosbag2,
)

FILE = '/share/launch/segmentation.launch.py'


def test_a_misspelt_argument_is_refused_with_a_suggestion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['ros2', 'launch', 'fanet_ros', 'segmentation.launch.py', 'engine:=torch'])
    refuse_unknown(FILE, ['engine:=torch', 'image_topic:=/a'], SEGMENTATION_ARGUMENTS)
    with pytest.raises(ValueError, match="segmentation.launch.py has no argument 'checkpont': did you mean checkpoint"):
        refuse_unknown(FILE, ['engine:=torch', 'checkpont:=foo'], SEGMENTATION_ARGUMENTS)


def test_a_parameter_that_is_no_argument_is_refused_with_the_place_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['ros2', 'launch', 'fanet_ros', 'segmentation.launch.py'])
    with pytest.raises(ValueError, match="no argument 'latency_budget_ms'.*; set other parameters of the node in a params_file"):
        refuse_unknown(FILE, ['latency_budget_ms:=50'], SEGMENTATION_ARGUMENTS)
    with pytest.raises(ValueError, match='It has bag$'):
        refuse_unknown(FILE, ['latency_budget_ms:=50'], ['bag'])


def test_arguments_of_an_including_launch_file_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['ros2', 'launch', 'my_robot', 'robot.launch.py', 'arm:=true'])
    refuse_unknown(FILE, ['arm:=true'], SEGMENTATION_ARGUMENTS)


def test_an_argument_without_effect_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, 'argv', ['ros2', 'launch', 'fanet_ros', 'segmentation.launch.py', 'engine:=torch'])
    refuse_without_effect(FILE, ['engine:=torch'], {'checkpoint'}, 'no node')
    with pytest.raises(ValueError, match='engine has no effect: no node'):
        refuse_without_effect(FILE, ['engine:=torch'], {'engine'}, 'no node')
    monkeypatch.setattr(sys, 'argv', ['ros2', 'launch', 'my_robot', 'robot.launch.py', 'engine:=torch'])
    refuse_without_effect(FILE, ['engine:=torch'], {'engine'}, 'no node')


@pytest.mark.parametrize(('topic', 'namespace', 'name'), [
    ('image', '', '/image'), ('image', 'robot', '/robot/image'), ('a/image', '/fleet/robot/', '/fleet/robot/a/image'),
    ('/image', 'robot', '/image')])
def test_relative_topics_are_in_the_namespace(topic: str, namespace: str, name: str) -> None:
    assert in_namespace(topic, namespace) == name


def test_rosbag2_is_named_when_it_is_not_installed() -> None:
    require_rosbag2('player', ['ros2bag', 'rosbag2_transport'])
    with pytest.raises(ValueError, match='player is rosbag2: .* not installed; sudo apt install .*, or leave player out'):
        require_rosbag2('player', ['ros2bag'])


def test_each_camera_has_a_topic() -> None:
    assert camera_topics('front=/front/image_raw, left') == {'front': '/front/image_raw', 'left': 'left/image'}
    assert camera_topics('', '/image') == {}


@pytest.mark.parametrize(('cameras', 'image_topic', 'reason'), [
    ('front,left', '/image', r'image_topic is for one camera.*cameras:=front=/image'),
    ('front,front', '', 'expected different names'), ('=/image', '', 'expected different names')])
def test_invalid_cameras_are_refused(cameras: str, image_topic: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        camera_topics(cameras, image_topic)


def test_a_value_that_is_not_a_number_is_refused_by_name() -> None:
    assert (number('rate', '0.5', float), number('input_height', '240', int)) == (0.5, 240)
    with pytest.raises(ValueError, match="input_height is 'abc': expected a whole number"):
        number('input_height', 'abc', int)
    with pytest.raises(ValueError, match="^max_bag_duration_s is 'nan': expected a number$"):
        number('max_bag_duration_s', 'nan', float)     # which rosbag2's whole seconds cannot be


def test_a_value_that_is_neither_true_nor_false_is_refused_by_name() -> None:
    assert flag('respawn', 'True') and not flag('respawn', 'false')
    with pytest.raises(ValueError, match="respawn is 'yes': expected true or false"):
        flag('respawn', 'yes')
