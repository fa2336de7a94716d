# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streamed frames give the same results as single ones, in order."""
from dataclasses import replace
from typing import Optional

import numpy as np
import pytest
import torch

from fanet_ros.inference import FrameInput, Segmenter
from fanet_ros.inference.frame_stream import DEPTH, FrameStreams, sent_ahead
from fanet_ros.inference.postprocess import Layers
from fanet_ros.model import CheckpointMetadata, save_checkpoint

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128))
needs_cuda = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')]


@pytest.fixture(name='segmenter', scope='module', params=[
    ('cpu', 1), ('cpu', 4), pytest.param(('cuda', 1), marks=needs_cuda), pytest.param(('cuda', 4), marks=needs_cuda)],
    ids=lambda param: f'{param[0]}-{param[1]}')
def segmenter_fixture(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    """For single frames, and for video."""
    device, temporal_frames = request.param
    metadata = replace(METADATA, temporal_frames=temporal_frames)
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    torch.manual_seed(0)
    save_checkpoint(path, metadata.build_network(), metadata)
    return Segmenter.from_checkpoint(path, device=device, engine='torch')


def frames_of(random: np.random.Generator, count: int) -> list[Optional[FrameInput]]:
    """Frames of different sizes and options; every seventh is missing."""
    sizes = ((90, 120), (96, 128), (33, 47), (300, 400))
    return [None if number % 7 == 4 else FrameInput(
        random.integers(0, 256, (*sizes[number // 3 % 4], 3), np.uint8), number % 5 == 0, number / 30, 'ab'[number % 2])
        for number in range(count)]


def test_frames_of_a_stream_are_segmented_as_one_by_one(segmenter: Segmenter) -> None:
    frames = frames_of(np.random.default_rng(0), 40)
    segmenter.forget()
    alone = [None if frame is None else segmenter.segment_batch([frame])[0] for frame in frames]
    segmenter.forget()
    streamed = list(segmenter.segment_stream(iter(frames)))
    assert len(streamed) == len(frames)
    for one, other in zip(streamed, alone):
        assert (one is None) == (other is None)
        if one is not None:
            # On a GPU, the order of summation may differ between runs, which changes some ties.
            assert (one.labels == other.labels).mean() >= (0.999 if segmenter.device.type == 'cuda' else 1.0)
            assert (one.confidence is None) == (other.confidence is None)
            assert one.confidence is None or np.abs(one.confidence.astype(int) - other.confidence).max() <= (
                3 if segmenter.device.type == 'cuda' else 0)
            assert (one.input_height, one.input_width) == (96, 128)
            assert min(one.times.preprocess_ms, one.times.network_ms, one.times.postprocess_ms) >= 0
    assert len({item.labels.tobytes() for item in streamed if item is not None}) > 30      # otherwise equality would prove little


def test_a_size_set_meanwhile_is_that_of_the_next_frame(segmenter: Segmenter) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    stream = segmenter.segment_stream(FrameInput(rgb) for _ in range(2 * DEPTH))
    widths = [next(stream).input_width]
    segmenter.set_input_size(64, 80)
    widths += [item.input_width for item in stream]
    assert widths == [128] * DEPTH + [80] * DEPTH
    segmenter.set_input_size(0, 0)


def test_what_is_no_frame_is_refused(segmenter: Segmenter) -> None:
    with pytest.raises(ValueError, match='expected a frame'):
        list(segmenter.segment_stream([FrameInput(np.zeros((4, 4), np.uint8))]))


def test_buffer_slot_is_free_before_it_is_reused() -> None:
    sent: list[int] = []
    out: list[Optional[int]] = []

    def send(frame: int, place: int) -> int:
        assert place == frame % DEPTH and all(other in out for other in sent if other % DEPTH == place)
        sent.append(frame)
        return frame
    numbers = [number if number % 3 else None for number in range(20)]
    for item in sent_ahead(numbers, send):
        out.append(item)
        assert len(sent) - sum(other is not None for other in out) < DEPTH      # reads no further ahead
    assert out == numbers


def test_stages_on_the_cpu_are_timed_in_order() -> None:
    pending = FrameStreams(torch.device('cpu')).send(lambda: torch.zeros(2, 2, dtype=torch.uint8), Layers, None)
    layers, times = pending.wait()
    assert layers.labels.shape == (2, 2) and layers.confidence is None and times.preprocess_ms >= 0
    assert list(pending.events) == sorted(pending.events)
