# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Segmenter, class maps and visualisation of labels."""
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from fanet_ros.inference import ClassMap, FrameInput, SegmentationError, Segmenter, color_labels, draw_legend, draw_overlay
from fanet_ros.model import CheckpointMetadata, load_checkpoint, save_checkpoint

METADATA = CheckpointMetadata('fanet18', 'paper', 'trio', ('a', 'b', 'c'), ((9, 2, 3), (4, 5, 6), (7, 8, 1)), (96, 128))


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('weights') / 'trio.safetensors'
    torch.manual_seed(0)
    save_checkpoint(path, METADATA.build_network(), METADATA)
    return path


def test_labels_match_the_plain_network(checkpoint: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    network, metadata = load_checkpoint(checkpoint)
    images = (torch.from_numpy(rgb).permute(2, 0, 1)[None] / 255.0 - torch.tensor(metadata.mean).view(1, 3, 1, 1))
    with torch.no_grad():
        logits = network(images / torch.tensor(metadata.std).view(1, 3, 1, 1))
    logits = F.interpolate(logits, (96, 128), mode='bilinear', align_corners=True)
    result = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch').segment(rgb, confidence=True)
    assert (result.labels == logits.argmax(1)[0].numpy()).mean() > 0.999     # ties aside
    expected = logits.softmax(1).amax(1)[0].numpy() * 255
    assert np.abs(result.confidence - expected).max() <= 1.0


@pytest.mark.parametrize('size', [(50, 70), (96, 128), (300, 401)])
def test_labels_have_the_size_of_the_frame(checkpoint: Path, size: 'tuple[int, int]') -> None:
    result = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch').segment(np.zeros((*size, 3), np.uint8))
    assert result.labels.shape == size and result.labels.dtype == np.uint8 and result.confidence is None
    assert (result.input_height, result.input_width) == (96, 128)


def test_frames_of_a_batch_keep_their_sizes_and_options(checkpoint: Path) -> None:
    generator = np.random.default_rng(2)
    frames = [FrameInput(generator.integers(0, 256, (*size, 3), np.uint8), confidence=confidence)
              for size, confidence in (((50, 70), False), ((96, 128), True), ((64, 64), False))]
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch', batch=3)
    results = segmenter.segment_batch(frames)
    for frame, result in zip(frames, results):
        alone = segmenter.segment(frame.rgb, confidence=frame.confidence)
        assert (result.labels == alone.labels).mean() > 0.999       # ties aside
        assert (result.confidence is None) == (not frame.confidence)
        assert (result.batch_size, alone.batch_size) == (3, 1)
        assert (result.input_height, result.input_width) == (alone.input_height, alone.input_width)
    with pytest.raises(ValueError, match='expected a frame'):
        segmenter.segment_batch([frames[0], FrameInput(np.zeros((4, 4), np.uint8))])


def test_impossible_resolution_keeps_the_current_one(checkpoint: Path) -> None:
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    segmenter.set_input_size(64, 80)
    for height, width in ((32, 64), (-1, 64), (64, 9000)):
        with pytest.raises(SegmentationError, match='expected 64..8192'):
            segmenter.set_input_size(height, width)
    assert (segmenter.input_height, segmenter.input_width) == (64, 80)
    segmenter.set_input_size(0, 0)
    assert (segmenter.input_height, segmenter.input_width) == (96, 128)


def test_resized_leaves_the_original_unchanged(checkpoint: Path) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    before = segmenter.segment(rgb).labels
    other = segmenter.resized(64, 192)
    expected = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch', input_height=64, input_width=192)
    assert np.array_equal(other.segment(rgb).labels, expected.segment(rgb).labels)
    assert np.array_equal(segmenter.segment(rgb).labels, before)
    with pytest.raises(SegmentationError, match='expected 64..8192'):
        segmenter.resized(0, 63)


def test_scaled_sizes_are_multiples_of_the_stride_and_large_enough(checkpoint: Path) -> None:
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    for scale, size in ((1.0, (200, 300)), (0.75, (160, 224)), (0.5, (96, 160)), (0.1, (64, 64))):
        scaled = segmenter.resized(200, 300, scale)
        assert (scaled.input_height, scaled.input_width) == size


@pytest.mark.parametrize(('arguments', 'reason'), [
    ({'device': 'cuda:99'}, 'is not available'), ({'device': 'abacus'}, 'is unknown'), ({'variant': 'fanet34'}, 'is a fanet18'),
    ({'class_map': ClassMap('two', ('x', 'y'), ((0, 0, 0), (1, 1, 1)))}, 'must be equal'),
    ({'class_map': '/nowhere.yaml'}, 'No such file')])
def test_invalid_setups_say_why(checkpoint: Path, arguments: dict, reason: str) -> None:
    with pytest.raises(SegmentationError, match=reason):
        Segmenter.from_checkpoint(checkpoint, **{'device': 'cpu', **arguments})


def test_colors_and_overlay() -> None:
    palette = ClassMap.of_checkpoint(METADATA).palette()
    labels = np.array([[0, 1], [2, 255]], np.uint8)
    colors = color_labels(labels, palette)
    assert colors.tolist() == [[[9, 2, 3], [4, 5, 6]], [[7, 8, 1], [0, 0, 0]]]
    rgb = np.full((2, 2, 3), 100, np.uint8)
    assert np.array_equal(draw_overlay(rgb, labels, palette, 1.0), colors)
    assert np.array_equal(draw_overlay(rgb, labels, palette, 0.0), rgb)


def test_legend_shows_every_color() -> None:
    class_map = ClassMap.of_checkpoint(METADATA)
    legend = draw_legend(class_map.names, class_map.colors, 120)
    for color in class_map.colors:
        assert (legend == color).all(axis=2).any()


def test_a_legend_has_the_letters_of_other_languages() -> None:
    one, other = (draw_legend((name,), ((0, 0, 0),), 120) for name in ('Möwe', 'Müwe'))
    assert not np.array_equal(one, other)       # as '?' both would look the same


def frame_of(height: int, width: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_frame_of_another_shape_runs_at_its_own_size(checkpoint: Path) -> None:
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    frame = frame_of(90, 160)
    assert not segmenter.is_ready_for(90, 160) and segmenter.is_ready_for(480, 640)
    squeezed = segmenter.segment_batch([FrameInput(frame)], builds=False)[0]
    assert (squeezed.input_height, squeezed.input_width) == (96, 128)
    assert segmenter.prepare(90, 160) == (96, 160) and segmenter.is_ready_for(720, 1280)
    fitted = segmenter.segment_batch([FrameInput(frame)], builds=False)[0]
    assert (fitted.input_height, fitted.input_width) == (96, 160) and fitted.labels.shape == (90, 160)
    expected = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch', input_height=96, input_width=160)
    assert np.array_equal(fitted.labels, expected.segment(frame).labels)
    assert (segmenter.input_sizes, segmenter.frame_sizes) == (((96, 160),), ((90, 160),))


def test_each_shape_in_a_batch_runs_at_its_own_size(checkpoint: Path) -> None:
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch', batch=3)
    frames = [frame_of(60, 80), frame_of(90, 160), frame_of(61, 81), frame_of(160, 90)]
    results = segmenter.segment_batch([FrameInput(frame) for frame in frames])
    sizes = [(result.input_height, result.input_width) for result in results]
    assert sizes == [(96, 128), (96, 160), (96, 128), (160, 96)] and set(segmenter.input_sizes) == set(sizes)
    alone = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    for frame, result, size in zip(frames, results, sizes):
        alone.set_input_size(*size)
        assert (alone.segment(frame).labels == result.labels).mean() > 0.999
    # Another resolution is ready for the same shapes before its first frame.
    smaller = segmenter.resized(0, 0, 0.75)
    assert set(smaller.input_sizes) == {(64, 96), (96, 64)}
    assert all(smaller.is_ready_for(*frame.shape[:2]) for frame in frames)


def test_least_recently_used_engine_is_dropped_and_rebuilt(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('fanet_ros.inference.sized_engines.MAX_ENGINES', 2)
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')
    wide, square, tall = (90, 160), (90, 90), (160, 90)
    assert [segmenter.segment(frame_of(*shape)).input_width for shape in (wide, square, wide, tall)] == [160, 96, 160, 96]
    assert segmenter.input_sizes == ((96, 160), (160, 96)) and not segmenter.is_ready_for(*square)
    assert segmenter.segment(frame_of(*square)).input_width == 96 and segmenter.input_sizes == ((160, 96), (96, 96))


def test_shape_that_does_not_fit_into_memory_is_squeezed(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segmenter = Segmenter.from_checkpoint(checkpoint, device='cpu', engine='torch')

    def too_large(height: int, width: int, *_: object) -> None:
        raise SegmentationError(f'resolution {height}x{width} needs too much')
    monkeypatch.setattr('fanet_ros.inference.sized_engines.check_memory', too_large)
    with pytest.raises(SegmentationError, match='96x160 needs too much'):
        segmenter.prepare(90, 160)
    assert segmenter.is_ready_for(90, 160)          # no need to try again
    assert segmenter.segment(frame_of(90, 160)).input_width == 128
