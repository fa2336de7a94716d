# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One model for several cameras: fair scheduling, independent results."""
from __future__ import annotations

import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from fanet_ros.msg import FrameTiming
from image_helpers import blotches, pixels
from reports import reported
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from fanet_ros.inference import Segmenter
from fanet_ros.ros.common.image_conversion import rgb_to_image_message

NODE = '/several'
GOOD, FLOOD, SILENT, CORRUPT = ('front', 'rear/left'), 'flood', 'silent', 'corrupt'
CAMERAS = (*GOOD, FLOOD, SILENT, CORRUPT)
FRAMES = 60                     # per good camera
FLOOD_FACTOR = 6                # frames per frame of a good camera
TOLERANCE = 0.1
ATTEMPTS = 5


def test_each_camera_gets_its_share_whatever_the_others_send(
        client: Any, start_executable: Callable[..., Any], small_checkpoint: Path) -> None:
    process = start_executable(
        'segmentation_node', '--ros-args', '-r', f'__node:={NODE[1:]}', '-p', f'cameras:=[{",".join(CAMERAS)}]', '-p',
        f'checkpoint:={small_checkpoint}', '-p', 'device:=cpu', '-p', 'engine:=torch', '-p',
        'diagnostics_period_s:=0.1', '-p', 'input_height:=192', '-p', 'input_width:=256')   # slower than the cameras
    arrays = client.collect(DiagnosticArray, '/diagnostics')
    timings = {name: client.collect(FrameTiming, f'{NODE}/{name}/timing') for name in CAMERAS}
    masks = {name: client.collect(Image, f'{NODE}/{name}/mask') for name in CAMERAS}
    publishers = {name: client.publisher(Image, f'/{name}/image') for name in CAMERAS}
    garbage = Image(encoding='cmyk8', height=120, width=160, step=480, data=array.array('B', bytes(57600)))
    numbers = dict.fromkeys(CAMERAS, 0)

    def send(name: str) -> None:
        numbers[name] += 1
        message = garbage if name == CORRUPT else rgb_to_image_message(blotches(numbers[name]), Header(frame_id=name))
        message.header.stamp.sec = numbers[name]
        publishers[name].publish(message)

    def connected() -> bool:
        for name in (*GOOD, FLOOD):
            send(name)
        return all(timings[name] for name in (*GOOD, FLOOD))
    client.wait_for(connected, 'a frame of each camera', process)

    def counts(what: str) -> Counter[str]:
        return Counter({name: getattr(timings[name][-1], what) for name in (*GOOD, FLOOD)})

    def is_fair() -> bool:
        """Whether each good camera gets an equal share of the next frames, or all of its frames where these are fewer."""
        before, served = (counts('frames_segmented'), counts('frames_received')), {name: len(timings[name]) for name in GOOD}

        def done() -> bool:
            for name in GOOD:           # a new frame is always waiting: each camera takes all it can get
                send(name)
            for _ in range(FLOOD_FACTOR):
                send(FLOOD)
                send(CORRUPT)
            return all(len(timings[name]) - served[name] >= FRAMES for name in GOOD)
        client.wait_for(done, 'the frames of the good cameras', process)
        got, received = counts('frames_segmented') - before[0], counts('frames_received') - before[1]
        print('frames segmented:', got, 'of', received)
        return all(got[name] >= (1 - TOLERANCE) * min(got.total() / len(got), received[name]) for name in GOOD)
    # On a busy machine the sender stands still at times, and then no frame is waiting.
    assert any(is_fair() for _ in range(ATTEMPTS))
    assert not timings[SILENT] and not timings[CORRUPT]

    assert max(timing.batch_size for name in GOOD for timing in timings[name]) > 1     # waiting frames are batched
    segmenter = Segmenter.from_checkpoint(
        small_checkpoint, device='cpu', engine='torch', input_height=192, input_width=256)
    for name in GOOD:               # masks belong to the right camera and frame
        mask = masks[name][-1]
        assert mask.header.frame_id == name
        assert np.array_equal(pixels(mask), segmenter.segment(blotches(mask.header.stamp.sec)).labels)

    def of(name: str) -> dict[str, str]:
        return reported(arrays, f'{NODE[1:]}: image segmentation of {name}')
    client.wait_for(
        lambda: int(of(CORRUPT).get('frames rejected: unknown encoding', 0)) > 0, 'the rejections', process)
    assert of(CORRUPT)['frames segmented'] == '0' and 'rejected' in of(CORRUPT)['message']
    assert of(SILENT)['frames received'] == '0' and of('front')['frames rejected'] == '0'
    assert int(of(FLOOD)['frames dropped']) > int(of('front')['frames dropped'])
    assert process.stop() == 0, process.log
