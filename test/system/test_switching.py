# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Model changes while a camera is sending: atomic, with at most one lost frame."""
from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from image_helpers import blotches, pixels
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.parameter import Parameter
from reports import reported
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.inference import ClassMap, Segmenter, draw_overlay
from fanet_ros.model import load_checkpoint, save_checkpoint
from fanet_ros.ros.common.image_conversion import rgb_to_image_message

NODE = '/switching'
SWITCHES = int(os.environ.get('FANET_ROS_SWITCHES', '8'))       # 200 take minutes
START = {'input_height': 0, 'input_width': 0, 'engine': 'torch', 'precision': 'float32', 'variant': 'auto',
         'class_map': '', 'latency_budget_ms': 0.0, 'max_frame_age_ms': 0.0, 'temporal_smoothing': 0.0}


@pytest.fixture(name='class_map', scope='module')
def class_map_fixture(small_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same classes in other colours."""
    path = tmp_path_factory.mktemp('map') / 'odd.yaml'
    path.write_text('name: odd\nclasses:\n' + ''.join(
        f'- {{name: odd{index}, color: [{200 - index}, {index}, 7]}}\n' for index in range(11)))
    return path


@pytest.fixture(name='other_checkpoint', scope='module')
def other_checkpoint_fixture(small_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network with its classes reordered, so that every mask differs."""
    network, metadata = load_checkpoint(small_checkpoint)
    state = network.state_dict()
    name = next(key for key in reversed(state)
                if key.endswith('weight') and state[key].shape[0] == metadata.num_classes)
    state[name].copy_(state[name].flip(0).clone())
    path = tmp_path_factory.mktemp('weights') / 'other.safetensors'
    save_checkpoint(path, network, metadata)
    return path


@pytest.fixture(name='camera', scope='module')
def camera_fixture(
        make_camera: Callable[..., Any], start_executable: Callable[..., Any], small_checkpoint: Path) -> Any:
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', f'__node:={NODE[1:]}', '-r', 'image:=switching_image', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', '-p', 'precision:=float32', '-p',
        'diagnostics_period_s:=0.1')
    camera = make_camera(process, NODE, '/switching_image')
    camera.connect(blotches(0))
    return camera


@pytest.fixture(autouse=True)
def start_values(client: Any, camera: Any, small_checkpoint: Path) -> Iterator[None]:
    yield
    client.apply(NODE, atomically=True, checkpoint=str(small_checkpoint), **START)


@pytest.mark.parametrize('values', [
    {'engine': 'onnxruntime'}, {'engine': 'openvino'}, {'precision': 'bfloat16'}, {'class_map': 'MAP'},
    {'checkpoint': 'OTHER', 'input_height': 128, 'input_width': 96}], ids=lambda values: '-'.join(values))
def test_masks_are_those_of_the_new_model(client: Any, camera: Any, small_checkpoint: Path, other_checkpoint: Path,
                                          class_map: Path, values: dict[str, Any]) -> None:
    for engine, module in (('onnxruntime', 'onnx'), ('onnxruntime', 'onnxruntime'), ('openvino', 'openvino')):
        if values.get('engine') == engine:
            pytest.importorskip(module)
    values = {name: {'MAP': str(class_map), 'OTHER': str(other_checkpoint)}.get(value, value)
              for name, value in values.items()}
    client.apply(NODE, atomically=True, **values)
    arguments = {'engine': 'torch', 'precision': 'float32', **values}
    expected = Segmenter.from_checkpoint(arguments.pop('checkpoint', small_checkpoint), device='cpu', **arguments)
    labels = expected.segment(blotches(1)).labels
    mask, timing = camera.answer_to(blotches(1))
    assert (pixels(mask) == labels).mean() > (0.999 if 'engine' in values else 0.9999)
    assert (timing.input_height, timing.input_width) == (expected.input_height, expected.input_width)


def test_a_switch_completes_even_if_its_client_has_gone(client: Any, camera: Any) -> None:
    pytest.importorskip('onnxruntime')
    for width in range(320, 704, 64):       # retry if the switch completed before the node noticed that the client was gone
        begun = camera.process.log.count('building ')
        service = client.node.create_client(SetParametersAtomically, f'{NODE}/set_parameters_atomically')
        client.wait_for(service.service_is_ready, 'the service')
        values = {'engine': 'onnxruntime', 'input_height': 256, 'input_width': width}
        service.call_async(SetParametersAtomically.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg() for name, value in values.items()]))
        client.wait_for(lambda: camera.process.log.count('building ') > begun, 'the switch', camera.process)
        client.node.destroy_client(service)
        client.wait_for(lambda: client.get_parameters(NODE, 'input_width') == [width], 'its end', camera.process)
        if 'has gone without waiting' in camera.process.log:
            break
    assert 'has gone without waiting' in camera.process.log
    _, timing = camera.answer_to(blotches(1))
    assert (timing.input_height, timing.input_width) == (256, width)


def test_stamps_that_jump_back_are_answered_and_reset_temporal_smoothing(client: Any, camera: Any) -> None:
    masks = []
    for smoothing, stamps in ((0.0, (5,)), (0.9, (100, 101, 102, 5, 6))):       # like a bag that is played again
        client.apply(NODE, temporal_smoothing=smoothing)
        for stamp in stamps:
            header = Header(stamp=Time(sec=stamp, nanosec=500), frame_id='again')
            picture = blotches(7) if stamp == 5 else blotches(8)
            camera.publisher.publish(rgb_to_image_message(picture, header))
            masks.append(pixels(camera.wait_for_one(camera.masks, header)))
    assert np.array_equal(masks[0], masks[4])       # no influence of previous frames
    assert not np.array_equal(masks[0], masks[3])


def test_input_scale_changes_the_size_and_keeps_the_aspect_ratio(client: Any, camera: Any) -> None:
    for scale, expected in ((2.0, (192, 256)), (1.0, (96, 128))):
        client.apply(NODE, input_scale=scale)
        _, timing = camera.answer_to(blotches(1))
        assert (timing.input_height, timing.input_width) == expected


def test_a_mask_and_its_colours_are_of_one_model(client: Any, camera: Any, class_map: Path) -> None:
    """While the class map changes, each overlay uses either the old or the new colours, never both."""
    overlays: list[Image] = []
    subscription = client.node.create_subscription(Image, f'{NODE}/overlay', overlays.append, 50)
    client.wait_for(lambda: camera.send(blotches(2)) and bool(overlays), 'an overlay', camera.process)
    old = ClassMap.of_checkpoint(load_checkpoint(client.get_parameters(NODE, 'checkpoint')[0])[1]).palette()
    new = ClassMap.load(class_map).palette()
    mask, _ = camera.answer_to(blotches(2))
    pictures = [draw_overlay(blotches(2), pixels(mask), palette, 0.5) for palette in (old, new)]
    del overlays[:]
    answer, _, _ = switch(client, camera, {'class_map': str(class_map)}, blotches(2))
    assert answer.successful
    client.wait_for(lambda: camera.send(blotches(2)) and bool(overlays) and np.array_equal(
        pixels(overlays[-1]), pictures[1]), 'the new colours', camera.process)
    kinds = [[np.array_equal(pixels(overlay), picture) for picture in pictures].index(True) for overlay in overlays]
    assert kinds == sorted(kinds) and kinds[-1] == 1
    client.node.destroy_subscription(subscription)


def switch(client: Any, camera: Any, values: dict[str, Any], picture: np.ndarray) -> tuple[Any, int, int]:
    """Set parameters atomically while a camera sends each frame once the last one is answered.

    :return: the result, and the numbers of frames sent and lost meanwhile
    """
    request = SetParametersAtomically.Request(
        parameters=[Parameter(name, value=value).to_parameter_msg() for name, value in values.items()])
    service = client.node.create_client(SetParametersAtomically, f'{NODE}/set_parameters_atomically')
    client.wait_for(service.service_is_ready, 'the service')
    future = service.call_async(request)
    before = camera.answer_to(picture)[1]
    sent, after = 1, before
    while not future.done():
        after = camera.answer_to(picture)[1]        # fails if it is lost
        sent += 1
    client.node.destroy_client(service)
    lost = (after.frames_received - before.frames_received) - (after.frames_segmented - before.frames_segmented)
    return future.result().result, sent, lost


@pytest.mark.slow
def test_many_switches_in_a_row_valid_and_not(client: Any, camera: Any, other_checkpoint: Path,
                                              small_checkpoint: Path) -> None:
    chance = random.Random(4)
    size = 96, 128
    frames = 0
    for _ in range(SWITCHES):
        values: dict[str, Any] = {'input_height': 32 * chance.randint(2, 5), 'input_width': 32 * chance.randint(2, 5)}
        kind = chance.choice(['size', 'checkpoint', 'too small', 'no checkpoint', 'too large', 'no engine'])
        if kind == 'checkpoint':
            values['checkpoint'] = str(chance.choice([small_checkpoint, other_checkpoint]))
        bad = {'too small': {'input_width': 63}, 'no checkpoint': {'checkpoint': '/nowhere.safetensors'},
               'too large': {'input_height': 8192, 'input_width': 8192},
               'no engine': {'engine': 'abacus'}}.get(kind, {})
        values.update(bad)
        answer, sent, lost = switch(client, camera, values, blotches(3))
        assert answer.successful == (not bad) and bool(answer.reason) == bool(bad), (kind, answer)
        assert lost <= 1
        frames += sent
        if not bad:
            size = values['input_height'], values['input_width']
        timing = camera.answer_to(blotches(3))[1]
        assert (timing.input_height, timing.input_width) == size, kind
    assert frames >= SWITCHES


def test_it_steps_down_to_hold_a_budget_and_up_without_one(client: Any, camera: Any) -> None:
    arrays = client.collect(DiagnosticArray, '/diagnostics')

    def answered_at(scale: str) -> bool:
        camera.answer_to(blotches(4))
        return reported(arrays, NODE[1:]).get('resolution scale') == scale
    client.apply(NODE, atomically=True, latency_budget_ms=0.001, resolution_ladder=[1.0, 0.75])
    client.wait_for(lambda: answered_at('0.75'), 'a step down', camera.process)
    timing = camera.answer_to(blotches(4))[1]
    assert (timing.input_height, timing.input_width) == (64, 96)
    assert 'over the budget of 0.001 ms' in reported(arrays, NODE[1:])['last resolution step']
    assert 'resolution scale to 0.75' in camera.process.log
    client.apply(NODE, latency_budget_ms=60000.0)
    client.wait_for(lambda: answered_at('1'), 'a step up', camera.process)
    assert 'leaves room' in reported(arrays, NODE[1:])['last resolution step']


def test_frames_that_are_too_old_are_dropped_and_counted(client: Any, camera: Any) -> None:
    before = camera.answer_to(blotches(5))[1]
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    client.apply(NODE, max_frame_age_ms=60000.0)
    camera.send(blotches(5))       # its stamp is decades old
    client.wait_for(lambda: int(reported(arrays, NODE[1:]).get('frames dropped: too old', 0)) > 0, 'the drop', camera.process)
    client.apply(NODE, max_frame_age_ms=0.0)
    after = camera.answer_to(blotches(5))[1]
    assert after.frames_dropped == before.frames_dropped + 1
    assert after.frames_segmented == before.frames_segmented + 1
