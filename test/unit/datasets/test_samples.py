# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Samples are read on demand and cached up to a limit; classes are counted in evenly spaced samples."""
from __future__ import annotations

import numpy as np
import pytest

from fanet_ros.datasets import UNLABELLED, DatasetError, Entry, Sample, SampleCache, Samples
from fanet_ros.datasets.changes import ignore_borders, relabel, stretch
from fanet_ros.datasets.class_counts import count_classes
from fanet_ros.training.augment import Augmentation
from fanet_ros.training.batches import BatchSource, Draws, Group
from fanet_ros.training.processes import Processes


def make(count: int, cache: SampleCache, reads: list[int], counted: int = 500) -> Samples:
    """Sample i contains only the class i % 3, 64 x 64 px: 16 KiB."""
    def entry(number: int) -> Entry:
        def read() -> Sample:
            reads.append(number)
            rgb = np.full((64, 64, 3), number, np.uint8)
            return Sample(str(number), rgb, np.full((64, 64), number % 3, np.uint8))
        return Entry(str(number), read)
    return Samples([entry(number) for number in range(count)], cache, counted)


def test_the_cache_respects_its_limit() -> None:
    reads: list[int] = []
    cache = SampleCache(2 * 64 * 64 * 4)
    samples = make(4, cache, reads)
    assert len(samples) == 4 and samples.names == ('0', '1', '2', '3') and reads == []
    for _ in range(2):
        assert [sample.name for sample in samples] == ['0', '1', '2', '3']
    assert reads == [0, 1, 2, 3, 2, 3] and cache.used_bytes == cache.max_bytes
    assert [sample.name for sample in samples[1:3]] == ['1', '2'] and reads[-1] == 2


def test_relabelled_samples() -> None:
    table = np.full(256, UNLABELLED, np.uint8)
    table[1] = 7
    samples = make(2, SampleCache(), []).changed(relabel(table))
    assert (samples[0].labels == UNLABELLED).all() and (samples[1].labels == 7).all()


def test_stretching_resizes_image_and_labels() -> None:
    labels = np.repeat(np.array([[0, 1], [2, UNLABELLED]], np.uint8), 32, 0).repeat(32, 1)
    changed = stretch(64, 128)(Sample('a', np.repeat(labels[..., None], 3, 2), labels))
    assert changed.rgb.shape == (64, 128, 3)
    assert np.array_equal(changed.labels, np.repeat(labels, 2, 1))


def test_borders_between_labels_can_be_ignored() -> None:
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:] = 1
    changed = ignore_borders(1)(Sample('a', np.zeros((8, 8, 3), np.uint8), labels)).labels
    assert (changed[:, 3:5] == UNLABELLED).all()
    assert np.array_equal(np.delete(changed, (3, 4), 1), np.delete(labels, (3, 4), 1))


def test_weights_change_during_training() -> None:
    few, many = make(1, SampleCache(), []), make(2, SampleCache(), [])
    draws = Draws([Group(few, 1.0, 0.0), Group(many, 0.0, 1.0)], Augmentation(64, 64), range(1), 0, lambda group, index: (64, 64))
    rng = np.random.default_rng(0)

    def share(progress: float) -> float:
        return float(np.mean([draws.sample(progress, rng)[0] for _ in range(400)]))
    assert share(0) == 0 and share(1) == 1 and 0.65 < share(0.75) < 0.85
    assert Group(few, 0.3).share_at(0.5) == 0.3


def test_counting_reads_few_samples_unless_a_class_is_missing() -> None:
    reads: list[int] = []
    assert count_classes([make(12, SampleCache(), reads, counted=4)], 'a')[0] == 4 * 64 * 64        # every third: class 0
    assert sorted(reads) == [0, 3, 6, 9]
    reads.clear()
    assert count_classes([make(12, SampleCache(), reads, counted=4)], 'abc')[:3].all() and len(reads) == 8
    with pytest.raises(DatasetError, match='no training label contains d, e: take them out'):
        count_classes([make(12, SampleCache(), reads, counted=4)], 'abcde')
    assert count_classes([make(3, SampleCache(), reads)], 'abcde', allow_empty=True)[3] == 0


def test_processes_together_draw_the_batch_of_a_single_one() -> None:
    samples = make(9, SampleCache(), [])
    def batch(rank: int, count: int) -> np.ndarray:
        positions = Processes(rank, count).share(4)
        return BatchSource([Group(samples, 1.0)], Augmentation(64, 64), positions, seed=3).batch(5)[0].numpy()
    assert np.array_equal(np.concatenate([batch(0, 2), batch(1, 2)], 1), batch(0, 1))
    assert not np.array_equal(batch(0, 2), batch(1, 2))
    with pytest.raises(ValueError, match='batch_size is 4 for 3 processes'):
        Processes(0, 3).share(4)
