# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a video network attends to earlier frames, and when it forgets them."""
from dataclasses import replace

import numpy as np
import pytest
import torch

from fanet_ros.inference import ClassMap, Segmenter
from fanet_ros.inference.video.scene_cut import MAX_GAP_S
from fanet_ros.inference.video.video_memory import VideoMemory
from fanet_ros.model import Checkpoint, CheckpointMetadata, FrameContext
from fanet_ros.package_share import class_map_file

DARK, BRIGHT = (np.full((48, 64, 3), value, np.uint8) for value in (40, 200))


def context(number: int) -> FrameContext:
    return FrameContext(*(torch.full((1, 2, 32), float(number)) for _ in range(4)))


def recalled(memory: VideoMemory, rgb: np.ndarray, stamp_s: 'float | None') -> 'list[int]':
    return [int(past.fam_4[0, 0, 0]) for past in memory.recall(rgb, stamp_s)]


def test_the_last_frames_are_recalled() -> None:
    memory = VideoMemory(2)
    for number in range(4):
        assert recalled(memory, DARK, number * 0.1) == list(range(number))[-2:]
        memory.remember(context(number))


@pytest.mark.parametrize(('rgb', 'stamp_s', 'expected'), [
    (DARK, 10.1, [0]), (DARK, None, [0]), (DARK, 10.0 + MAX_GAP_S + 0.01, []), (DARK, 10.0, []), (DARK, 9.9, []),
    (BRIGHT, 10.1, [])])
def test_gaps_and_cuts_clear_the_memory(rgb: np.ndarray, stamp_s: 'float | None', expected: 'list[int]') -> None:
    memory = VideoMemory(1)
    memory.recall(DARK, 10.0)
    memory.remember(context(0))
    assert recalled(memory, rgb, stamp_s) == expected


def test_segmenter_remembers_frames_until_the_resolution_changes() -> None:
    classes = ClassMap.load(class_map_file('camvid11'))
    metadata = CheckpointMetadata('fanet18', 'paper', classes.name, classes.names, classes.colors, (64, 96))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = metadata.build_network().eval()
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (64, 96, 3), np.uint8) for _ in range(2))
    single = Segmenter(Checkpoint(network, metadata), device='cpu', engine='torch')
    video = Segmenter(Checkpoint(network, replace(metadata, temporal_frames=2)), device='cpu')

    def difference(stamp_s: float) -> float:
        return float(np.mean(video.segment(second, stamp_s=stamp_s).labels != single.segment(second).labels))
    assert np.array_equal(video.segment(first, stamp_s=1.0).labels, single.segment(first).labels)
    assert difference(1.1) > 0
    assert difference(9.0) == 0                 # too much later
    video.segment(first, stamp_s=9.1)
    video.set_input_size(64, 96)
    assert difference(9.2) == 0
